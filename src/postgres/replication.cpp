#include "postgres/replication.hpp"

#include <libpq-fe.h>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/endian/conversion.hpp>

namespace postgres {
namespace {

using namespace std::chrono_literals;

constexpr auto answer_timeout = 30s;
constexpr auto status_interval = 5s;  // wal_sender_timeout is a minute by default
constexpr int pings_in_a_second_max = 8;
constexpr int failover_slots_since = 170'000;
constexpr std::size_t turn_bytes_max = 256 * 1024;
constexpr auto flood_span = 1ms;
constexpr auto flood_pause = 500us;
constexpr std::size_t flood_messages = 32, full_read_bytes = 8'192;

struct FreeMemory {
    void operator()(char* buffer) const { PQfreemem(buffer); }
};

std::uint64_t load_u64(std::string_view bytes, std::size_t offset) {
    return boost::endian::endian_load<std::uint64_t, 8, boost::endian::order::big>(
        reinterpret_cast<const unsigned char*>(bytes.data() + offset));
}

void append_u64(std::string& out, std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xFF);
}

std::uint64_t postgres_now_us() {
    constexpr auto epoch_2000 = std::chrono::sys_days{std::chrono::year{2000} / 1 / 1};
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now() - epoch_2000).count());
}

}  // namespace

asio::awaitable<Result<Lsn>> ReplicationStream::connect(std::string conninfo) {
    ConnectOptions options{.conninfo = std::move(conninfo), .replication = true};
    auto connected = co_await session_->connect(std::move(options));
    if (!connected) co_return std::unexpected(connected.error());
    auto system = co_await session_->execute("IDENTIFY_SYSTEM", answer_timeout);
    if (!system) co_return std::unexpected(system.error());
    const auto end = system->empty() ? std::nullopt : parse_lsn(system->text(0, 2));
    if (!end) co_return fail(ErrorCode::internal_error, "IDENTIFY_SYSTEM gave no position");
    co_return *end;
}

std::string create_slot_command(const std::string& slot, SlotLife life, bool with_snapshot, int server_version) {
    const bool lasting = life == SlotLife::lasting;
    const auto begin = "CREATE_REPLICATION_SLOT " + quote_identifier(slot) + (lasting ? "" : " TEMPORARY") + " LOGICAL pgoutput ";
    if (!lasting || server_version < failover_slots_since) return begin + (with_snapshot ? "EXPORT_SNAPSHOT" : "NOEXPORT_SNAPSHOT");
    return begin + (with_snapshot ? "(SNAPSHOT 'export', FAILOVER)" : "(SNAPSHOT 'nothing', FAILOVER)");
}

asio::awaitable<Result<NewSlot>> ReplicationStream::create_slot(std::string slot, SlotLife life, bool with_snapshot) {
    auto command = create_slot_command(slot, life, with_snapshot, session_->server_version());
    auto created = co_await session_->execute(std::move(command), 24h);
    if (!created) co_return std::unexpected(created.error());
    const auto place = created->empty() ? std::nullopt : parse_lsn(created->text(0, 1));
    if (!place) co_return fail(ErrorCode::internal_error, "CREATE_REPLICATION_SLOT gave no position");
    NewSlot made{.start = *place, .snapshot = std::string{created->text(0, 2)}};
    co_return made;
}

asio::awaitable<Result<void>> ReplicationStream::start(std::string slot, std::string publication, Lsn start) {
    const bool in_pieces = session_->is_open() && PQserverVersion(session_->raw()) >= 140'000;  // and with logical messages
    std::string command = "START_REPLICATION SLOT " + quote_identifier(slot) + " LOGICAL " + to_string(start) + " (" +
                          (in_pieces ? "proto_version '2', streaming 'on', messages 'true'" : "proto_version '1'") +
                          ", publication_names " + quote_literal(quote_identifier(publication)) + ")";
    received_ = start;
    auto started = co_await session_->execute(std::move(command), answer_timeout);
    if (!started) co_return std::unexpected(started.error());
    co_return Result<void>{};
}

asio::awaitable<Error> ReplicationStream::run() {
    while (session_->is_open()) {
        const auto turn = take_turn();
        if (!turn) co_return turn.error();
        if (!session_->is_open()) break;
        if (status_wanted_ || keepalive_wanted_ || Session::Clock::now() >= status_due_) {
            if (auto sent = send_status(); !sent) co_return sent.error();
        }
        if (PQflush(session_->raw()) < 0) co_return ended();
        if (paused_) {
            co_await session_->sleep(status_due_);
        } else if (*turn == Turn::over) {
            co_await asio::post(io_, asio::use_awaitable);
        } else {
            if (is_flood()) co_await session_->doze(Session::Clock::now() + flood_pause);
            else if (*turn == Turn::out_of_input) co_await session_->ready(asio::posix::stream_descriptor::wait_read, status_due_);
            if (!session_->is_open()) break;
            if (auto consumed = session_->consume(); !consumed) co_return consumed.error();
        }
    }
    co_return why_;
}

/// The server sends each message by itself. While there are many, waiting a little for more to read at once leaves the cores to it;
/// they fit the socket's buffer meanwhile. Not when a read has found so much that there may be more.
bool ReplicationStream::is_flood() {
    const auto now = Session::Clock::now();
    const auto passed = now - span_.begin;
    if (passed >= flood_span)
        span_ = {.begin = now, .messages = 0, .flood = passed < 2 * flood_span && span_.messages >= flood_messages};
    return span_.flood && turn_bytes_ < full_read_bytes;
}

/// Hands on what has been gathered and what libpq has already read, until it is paused or has had its turn.
Result<ReplicationStream::Turn> ReplicationStream::take_turn() {
    turn_bytes_ = 0;
    while (turn_bytes_ < turn_bytes_max && !paused_ && session_->is_open()) {
        if (assembler_.is_handing_on()) {
            const auto message = assembler_.next();
            if (!message) return std::unexpected(message.error());
            turn_bytes_ += message->size();
            if (auto handled = events_.on_message(*message); !handled) return std::unexpected(handled.error());
            continue;
        }
        char* copied = nullptr;
        const int size = PQgetCopyData(session_->raw(), &copied, /*async=*/1);
        const std::unique_ptr<char, FreeMemory> buffer{copied};
        if (size == 0) return turn_bytes_ > 0 && PQsslInUse(session_->raw()) ? Turn::read_on : Turn::out_of_input;
        if (size < 0) return std::unexpected(ended());
        turn_bytes_ += static_cast<std::size_t>(size);
        ++span_.messages;
        if (auto handled = handle({copied, static_cast<std::size_t>(size)}); !handled) return std::unexpected(handled.error());
    }
    return Turn::over;
}

Result<void> ReplicationStream::handle(std::string_view bytes) {
    // The grammar is in docs/pgoutput.md.
    if (bytes.starts_with('w') && bytes.size() > 25) {
        received_ = std::max(received_, Lsn{load_u64(bytes, 1)});
        const auto message = bytes.substr(25);
        const auto as_it_is = assembler_.take(message);
        if (!as_it_is) return std::unexpected(as_it_is.error());
        return *as_it_is ? events_.on_message(message) : Result<void>{};
    }
    if (bytes.starts_with('k') && bytes.size() == 18) {
        const Lsn end{load_u64(bytes, 1)};
        received_ = std::max(received_, end);
        const bool reply_wanted = bytes[17] != 0;
        status_wanted_ |= reply_wanted;
        events_.on_keepalive(end);
        return reply_wanted ? notice_shutdown(end) : Result<void>{};
    }
    return fail(ErrorCode::invalid_body, "the server sent a replication message of an unknown form");
}

/// A server that shuts down waits until we have confirmed everything, asking again as soon as we have answered. We confirm late
/// on purpose, so it would wait for minutes: leave instead, what was not confirmed comes again (walsender.c, WalSndDone).
Result<void> ReplicationStream::notice_shutdown(Lsn end) {
    const auto now = Session::Clock::now();
    if (end != ping_.end || now > ping_.first + 1s) ping_ = {end, now, 0};
    if (++ping_.count <= pings_in_a_second_max) return {};
    return fail(ErrorCode::unavailable, "the server is shutting down");
}

Result<void> ReplicationStream::send_status() {
    std::string status = "r";
    append_u64(status, received_.value);
    append_u64(status, confirmed_.value);
    append_u64(status, confirmed_.value);
    append_u64(status, postgres_now_us());
    status += static_cast<char>(keepalive_wanted_);
    const int put = PQputCopyData(session_->raw(), status.data(), static_cast<int>(status.size()));
    if (put < 0) return std::unexpected(ended());
    // 0: its buffer is full, so later.
    status_due_ = Session::Clock::now() + (put > 0 ? std::chrono::milliseconds{status_interval} : 100ms);
    if (put > 0) status_wanted_ = keepalive_wanted_ = false;
    return {};
}

/// Why libpq says that the copying is over.
Error ReplicationStream::ended() {
    Error error{ErrorCode::unavailable, one_line(PQerrorMessage(session_->raw()))};
    if (PGresult* const last = PQisBusy(session_->raw()) ? nullptr : PQgetResult(session_->raw())) {
        const Rows owner{last};
        if (PQresultStatus(last) == PGRES_FATAL_ERROR) {
            const auto said = error_of(last);
            error = said;
            if (said.sqlstate == "42704") error.code = ErrorCode::unable_to_recover_channel;
        }
    }
    if (error.message.empty()) error.message = "the server ended the replication";
    session_->close();
    return error;
}

void ReplicationStream::confirm(Lsn lsn) {
    if (lsn <= confirmed_) return;
    confirmed_ = lsn;
    status_wanted_ = true;
    session_->wake();
}

void ReplicationStream::request_keepalive() {
    keepalive_wanted_ = true;
    session_->wake();
}

void ReplicationStream::resume() {
    if (!std::exchange(paused_, false)) return;
    session_->wake();
}

void ReplicationStream::stop(Error why) {
    if (!session_->is_open()) return;
    why_ = std::move(why);
    session_->close();
}

}  // namespace postgres
