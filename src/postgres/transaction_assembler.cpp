#include "postgres/transaction_assembler.hpp"

#include <algorithm>
#include <cstring>

#include <boost/endian/conversion.hpp>

#include "base/assert.hpp"

namespace postgres {
namespace {

struct RecordHead {
    std::uint32_t xid = 0, size = 0;
};

/// What describes relations holds for what comes behind it, even if it was sent with a change that was rolled back: the server does
/// not say it again.
bool is_description(char kind) { return kind == 'R' || kind == 'Y'; }

/// An origin is the only message of a piece without an xid.
bool has_xid(char kind) { return kind != 'O'; }

auto broken(std::string_view what, std::uint32_t xid) {
    return fail(ErrorCode::invalid_body, "pgoutput: {} of transaction {}, which is not expected here", what, xid);
}

}  // namespace

Result<bool> TransactionAssembler::take(std::string_view message) {
    PAL_ASSERT(!is_handing_on());
    const char kind = message.empty() ? '\0' : message.front();
    if (!pgoutput::is_stream_message(kind)) {
        if (!open_) return true;
        if (message.empty()) return broken("an empty message", 0);
        if (auto gathered = gather(message); !gathered) return std::unexpected(gathered.error());
        return false;
    }
    const auto decoded = pgoutput::decode_stream(message);
    if (!decoded) return std::unexpected(decoded.error());
    if (auto done = std::visit([this](const auto& each) { return on(each); }, *decoded); !done) return std::unexpected(done.error());
    return false;
}

Result<void> TransactionAssembler::on(const pgoutput::StreamStart& start) {
    const bool known = transactions_.contains(start.xid);
    if (open_ || known == start.first) return broken("a piece", start.xid);
    if (!known) transactions_.emplace(start.xid, Gathered{.spool = Spool{options_.folder}, .aborted = {}});
    open_ = &transactions_.at(start.xid);
    return {};
}

Result<void> TransactionAssembler::on(const pgoutput::StreamStop&) {
    if (!open_) return broken("the end of a piece", 0);
    open_ = nullptr;
    return {};
}

Result<void> TransactionAssembler::on(const pgoutput::StreamCommit& commit) {
    const auto found = transactions_.find(commit.xid);
    if (open_ || found == transactions_.end()) return broken("the commit", commit.xid);
    bytes_in_memory_ -= found->second.spool.bytes_in_memory();
    std::ranges::sort(found->second.aborted);
    handing_on_.emplace(HandingOn{.transaction = std::move(found->second), .xid = commit.xid, .commit = commit.commit});
    transactions_.erase(found);
    return {};
}

Result<void> TransactionAssembler::on(const pgoutput::StreamAbort& abort) {
    if (open_) return broken("the abort", abort.xid);
    const auto found = transactions_.find(abort.xid);
    if (found == transactions_.end()) return {};
    if (abort.subxid != abort.xid) {
        found->second.aborted.push_back(abort.subxid);
    } else {
        bytes_in_memory_ -= found->second.spool.bytes_in_memory();
        transactions_.erase(found);
    }
    return {};
}

Result<void> TransactionAssembler::gather(std::string_view message) {
    const char kind = message.front();
    RecordHead head;
    std::size_t skipped = 1;
    if (has_xid(kind)) {
        constexpr std::size_t xid_bytes = sizeof head.xid;
        if (message.size() < skipped + xid_bytes) return broken("a message", 0);
        head.xid = boost::endian::load_big_u32(reinterpret_cast<const unsigned char*>(message.data() + skipped));
        skipped += xid_bytes;
    }
    head.size = static_cast<std::uint32_t>(message.size() - skipped + 1);
    char bytes[sizeof head];
    std::memcpy(bytes, &head, sizeof head);
    open_->spool.append({bytes, sizeof bytes});
    open_->spool.append({&kind, 1});
    open_->spool.append(message.substr(skipped));
    bytes_in_memory_ += sizeof head + head.size;
    return keep_in_bounds();
}

Result<void> TransactionAssembler::keep_in_bounds() {
    while (bytes_in_memory_ > options_.memory_bytes_max) {
        const auto largest = std::ranges::max_element(
            transactions_, {}, [](const auto& each) { return each.second.spool.bytes_in_memory(); });
        auto& spool = largest->second.spool;
        const auto bytes = spool.bytes_in_memory();
        if (auto spilled = spool.spill(); !spilled) return spilled;
        bytes_in_memory_ -= bytes;
    }
    return {};
}

Result<std::string_view> TransactionAssembler::next() {
    PAL_ASSERT(is_handing_on());
    auto& [transaction, xid, commit, begun] = *handing_on_;
    if (!std::exchange(begun, true)) {
        last_ = pgoutput::encode(pgoutput::Begin{.commit = commit.commit, .commit_time_us = commit.commit_time_us, .xid = xid});
        return last_;
    }
    for (;;) {
        const auto bytes = transaction.spool.read(sizeof(RecordHead));
        if (!bytes) return std::unexpected(bytes.error());
        if (bytes->empty()) break;
        RecordHead head;
        std::memcpy(&head, bytes->data(), sizeof head);
        const auto message = transaction.spool.read(head.size);
        if (!message) return std::unexpected(message.error());
        const bool rolled_back = !transaction.aborted.empty() && std::ranges::binary_search(transaction.aborted, head.xid);
        if (!rolled_back || is_description(message->front())) return *message;
    }
    last_ = pgoutput::encode(commit);
    handing_on_.reset();
    return last_;
}

}  // namespace postgres
