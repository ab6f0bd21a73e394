#pragma once

#include <unordered_map>
#include <vector>

#include "connector/feeding.hpp"
#include "connector/publication.hpp"
#include "connector/snapshot_plan.hpp"

namespace connector {

/// The fed relations as the stream describes them: tells what each channel is to hear of a change. What cannot be told to a channel is
/// logged, counted and passed by. No I/O; shard-owned.
class Sources {
public:
    /// For a stream that begins now. `types` are those of the tables' columns, at least; `parts` are those of the snapshot.
    void restart(const Config& config, Tables tables, TypesPtr types, std::vector<SnapshotPart> parts);

    /// The types of its columns that the catalogue was not asked about: made since.
    std::vector<std::uint32_t> unknown_types(const postgres::pgoutput::Relation& message) const;
    void describe(const postgres::pgoutput::Relation& message);
    /// Errors: internal_error, when the stream has not described the relation or the change does not fit.
    base::Result<std::vector<Told>> tell(const postgres::pgoutput::Insert& change, const Committed& committed);
    base::Result<std::vector<Told>> tell(const postgres::pgoutput::Update& change, const Committed& committed);
    base::Result<std::vector<Told>> tell(const postgres::pgoutput::Delete& change, const Committed& committed);

    /// Of a TRUNCATE: for who is told of deletes, unless it is said row by row or the channel depends on them.
    base::Result<std::vector<Told>> truncated(std::uint32_t relation, const Committed& committed);

    /// For rows that were there before: describes the table as the stream would, under this number.
    void describe(std::uint32_t relation, const TableName& name);

    /// Changes that a channel was to hear and could not be addressed to it.
    std::uint64_t unaddressed() const { return unaddressed_; }

private:
    using Tuple = postgres::pgoutput::Tuple;
    struct Source {
        TableName name;
        std::string id;
        std::vector<Feeding> feedings;
        std::vector<std::size_t> key;  // of the table; empty when the snapshot does not matter
        std::vector<std::uint32_t> key_types;
    };
    void describe(std::uint32_t oid, const Relation& relation);
    base::Result<const Source*> find(std::uint32_t relation) const;
    bool is_read_already(const Source& source, const Tuple& row, const Tuple* otherwise, const Committed& committed) const;
    template <class Change>
    base::Result<std::vector<Told>> tell_all(const Source& source, const Change& change, const Committed& committed);

    std::vector<Feed> feeds_;
    std::string message_name_;
    Tables tables_;
    TypesPtr types_ = std::make_shared<const Types>();
    std::vector<SnapshotPart> parts_;
    Lsn read_until_;  // the latest part's snapshot: changes committed from there on are in none
    std::unordered_map<std::uint32_t, Source> sources_;
    std::uint64_t unaddressed_ = 0;
};

}  // namespace connector
