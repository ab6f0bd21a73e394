#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "postgres/lsn.hpp"
#include "postgres/rows.hpp"

/// Decoder of pgoutput, the logical decoding plugin's messages, protocol versions 1 and 2. The grammar is in docs/pgoutput.md.
/// Texts are views into the decoded bytes.
namespace postgres::pgoutput {

struct Begin {
    Lsn commit;  // where the transaction's commit record starts: what it is known by
    std::int64_t commit_time_us = 0;  // since 2000-01-01 UTC
    std::uint32_t xid = 0;
    friend bool operator==(const Begin&, const Begin&) = default;
};
struct Commit {
    Lsn commit, end;  // `end`: everything before it has been sent
    std::int64_t commit_time_us = 0;
    friend bool operator==(const Commit&, const Commit&) = default;
};
struct Origin {
    Lsn commit;
    std::string_view name;
    friend bool operator==(const Origin&, const Origin&) = default;
};
struct RelationColumn {
    bool is_key = false;
    std::string_view name;
    std::uint32_t type = 0;  // the type's oid
    std::int32_t type_modifier = -1;
    friend bool operator==(const RelationColumn&, const RelationColumn&) = default;
};
/// Comes before the first change of a relation on a connection, and again after it was altered.
struct Relation {
    std::uint32_t oid = 0;
    std::string_view schema, name;
    char replica_identity = 'd';  // as in pg_class.relreplident
    std::vector<RelationColumn> columns;
    friend bool operator==(const Relation&, const Relation&) = default;
};
struct Type {
    std::uint32_t oid = 0;
    std::string_view schema, name;
    friend bool operator==(const Type&, const Type&) = default;
};

struct Column {
    enum class Kind : char { null = 'n', unchanged_toast = 'u', text = 't', binary = 'b' };
    Kind kind = Kind::null;
    std::string_view value;
    friend bool operator==(const Column&, const Column&) = default;
};
using Tuple = std::vector<Column>;

struct Insert {
    std::uint32_t relation = 0;
    Tuple row;
    friend bool operator==(const Insert&, const Insert&) = default;
};
/// `old` is the whole row before (REPLICA IDENTITY FULL), or its key when that changed.
struct Update {
    std::uint32_t relation = 0;
    std::optional<Tuple> old;
    bool old_is_key = false;
    Tuple row;
    friend bool operator==(const Update&, const Update&) = default;
};
struct Delete {
    std::uint32_t relation = 0;
    Tuple old;
    bool old_is_key = false;  // the other columns are null
    friend bool operator==(const Delete&, const Delete&) = default;
};
struct Truncate {
    bool cascade = false, restart_identity = false;
    std::vector<std::uint32_t> relations;
    friend bool operator==(const Truncate&, const Truncate&) = default;
};
/// pg_logical_emit_message().
struct LogicalMessage {
    bool transactional = false;
    Lsn lsn;
    std::string_view prefix, content;
    friend bool operator==(const LogicalMessage&, const LogicalMessage&) = default;
};

using Message = std::variant<Begin, Commit, Origin, Relation, Type, Insert, Update, Delete, Truncate, LogicalMessage>;

/// Error: invalid_body, naming the message's type, when it is unknown, cut short or longer than it says.
Result<Message> decode(std::string_view bytes);

/// Decodes one message after the other into the same memory, so that a row costs no allocation.
class Decoder {
public:
    /// As decode(); what it gives is valid until the next call.
    Result<const Message*> decode(std::string_view bytes);

private:
    Message message_;
    std::vector<Tuple> spare_;  // of earlier messages: at most two are in one
};

// Version 2: what stands between the pieces of transactions that are sent while they are in progress. TransactionAssembler makes
// plain transactions of them.
struct StreamStart {
    std::uint32_t xid = 0;
    bool first = false;  // the transaction's first piece
    friend bool operator==(const StreamStart&, const StreamStart&) = default;
};
struct StreamStop {
    friend bool operator==(const StreamStop&, const StreamStop&) = default;
};
struct StreamCommit {
    std::uint32_t xid = 0;
    Commit commit;
    friend bool operator==(const StreamCommit&, const StreamCommit&) = default;
};
/// Of the subtransaction; of all of the transaction when the two are the same.
struct StreamAbort {
    std::uint32_t xid = 0, subxid = 0;
    friend bool operator==(const StreamAbort&, const StreamAbort&) = default;
};
using StreamMessage = std::variant<StreamStart, StreamStop, StreamCommit, StreamAbort>;

constexpr bool is_stream_message(char kind) { return kind == 'S' || kind == 'E' || kind == 'c' || kind == 'A'; }
/// Errors as decode().
Result<StreamMessage> decode_stream(std::string_view bytes);

std::string encode(const Begin& begin);
std::string encode(const Commit& commit);

}  // namespace postgres::pgoutput
