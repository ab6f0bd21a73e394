#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "base/limits.hpp"
#include "postgres/pgoutput.hpp"
#include "postgres/spool.hpp"

namespace postgres {

/// Makes of protocol version 2 what version 1 would have sent. A transaction that the server sends in pieces while it is in progress
/// is gathered, and at its commit handed on as one: begin, the changes that were not rolled back, commit; one that is rolled back
/// is forgotten. What is gathered is in memory up to a bound and otherwise in files; of each rolled back subtransaction its number is
/// kept. No socket, no clock; shard-owned.
class TransactionAssembler {
public:
    struct Options {
        std::filesystem::path folder = spool_folder();
        std::size_t memory_bytes_max = base::limits::gathered_bytes_max;
    };
    TransactionAssembler() : TransactionAssembler(Options{}) {}
    explicit TransactionAssembler(Options options) : options_(std::move(options)) {}

    /// True: the message is to be handed on as it is. False: it was put away, or said something of what was.
    /// Not while is_handing_on(). Errors: unavailable, when there is no room (Spool); invalid_body for what the protocol rules out.
    Result<bool> take(std::string_view message);

    /// A gathered transaction has been committed, and next() has more of it.
    bool is_handing_on() const { return handing_on_.has_value(); }
    /// Valid until the next call. Errors as those of take().
    Result<std::string_view> next();

private:
    struct Gathered {
        Spool spool;                         // { xid, size, message without the xid that it was sent with }
        std::vector<std::uint32_t> aborted;  // subtransactions
    };
    struct HandingOn {
        Gathered transaction;
        std::uint32_t xid = 0;
        pgoutput::Commit commit;
        bool begun = false;
    };

    Result<void> on(const pgoutput::StreamStart& start);
    Result<void> on(const pgoutput::StreamStop& stop);
    Result<void> on(const pgoutput::StreamCommit& commit);
    Result<void> on(const pgoutput::StreamAbort& abort);
    Result<void> gather(std::string_view message);
    Result<void> keep_in_bounds();

    Options options_;
    std::unordered_map<std::uint32_t, Gathered> transactions_;  // in progress; by the xid of the outermost
    Gathered* open_ = nullptr;                                  // whose piece is being sent
    std::optional<HandingOn> handing_on_;
    std::size_t bytes_in_memory_ = 0;
    std::string last_;  // what next() made itself
};

}  // namespace postgres
