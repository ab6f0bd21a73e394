#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "postgres/lsn.hpp"
#include "postgres/session.hpp"
#include "postgres/transaction_assembler.hpp"

namespace postgres {

enum class SlotLife : std::uint8_t { lasting, temporary };  // a temporary one goes with the connection
struct NewSlot {
    Lsn start;             // from where it decodes
    std::string snapshot;  // empty when none was wanted
};

/// A lasting slot is one that fails over where the server has those, from Postgres 17; a temporary one cannot. Pure.
std::string create_slot_command(const std::string& slot, SlotLife life, bool with_snapshot, int server_version);

/// The walsender's side of one replication connection, from connecting to being lost; who wants another makes another stream.
/// Where the server can (from Postgres 14), it sends large transactions in pieces before they are committed; who listens gets
/// them like all others, at their commit. Shard-owned; pause, resume, confirm and stop may be called from within the events.
class ReplicationStream {
public:
    /// Called in WAL order. A change's message is valid during the call; an error of it ends the stream.
    struct Events {
        std::function<Result<void>(std::string_view message)> on_message;
        /// The server is done with everything before `end`.
        std::function<void(Lsn end)> on_keepalive;
    };
    ReplicationStream(asio::io_context& io, Events events) : io_(io), session_(Session::make(io)), events_(std::move(events)) {}
    ~ReplicationStream() { session_->close(); }
    ReplicationStream(const ReplicationStream&) = delete;
    ReplicationStream& operator=(const ReplicationStream&) = delete;

    /// Connects. Gives the end of the WAL at that time (IDENTIFY_SYSTEM): everything committed before is before it.
    asio::awaitable<Result<Lsn>> connect(std::string conninfo);
    /// Waits for the write transactions that are open now, however long they are. The snapshot is that of the new slot's beginning, to be
    /// taken up (SET TRANSACTION SNAPSHOT) before this is told anything else.
    asio::awaitable<Result<NewSlot>> create_slot(std::string slot, SlotLife life, bool with_snapshot);

    /// Begins to stream from `start`, or from where the slot was confirmed if that is later.
    asio::awaitable<Result<void>> start(std::string slot, std::string publication, Lsn start);
    /// Streams until the connection is lost or stopped: why. unable_to_recover_channel: the publication was not there when a change was
    /// written, and Postgres cannot decode it.
    asio::awaitable<Error> run();

    /// The server may forget what is before `lsn`. Told to it soon; never goes back.
    void confirm(Lsn lsn);
    /// Wants to hear soon how far the server is, though it may have nothing to send.
    void request_keepalive();
    /// Not reading makes the server wait, and it is still told every few seconds that we are here.
    void pause() { paused_ = true; }
    void resume();
    void stop(Error why);

private:
    /// What a turn came to: the others on the shard are next; or more must come in first; or it may have come in already, and be in
    /// TLS's buffer, which the socket says nothing of.
    enum class Turn : std::uint8_t { over, out_of_input, read_on };
    Result<Turn> take_turn();
    bool is_flood();
    Result<void> handle(std::string_view bytes);
    Result<void> notice_shutdown(Lsn end);
    Result<void> send_status();
    Error ended();

    asio::io_context& io_;
    std::shared_ptr<Session> session_;
    Events events_;
    TransactionAssembler assembler_;
    Lsn received_, confirmed_;
    bool paused_ = false;
    std::size_t turn_bytes_ = 0;
    struct {
        Session::Clock::time_point begin{};
        std::size_t messages = 0;
        bool flood = false;  // there were many in the one before
    } span_;  // of about a millisecond
    bool status_wanted_ = false;     // by the server, or by a new confirmation
    bool keepalive_wanted_ = false;  // by us
    Session::Clock::time_point status_due_{};
    struct {
        Lsn end;
        Session::Clock::time_point first{};
        int count = 0;
    } ping_;  // the keepalives in a row that wanted an answer
    Error why_{ErrorCode::unavailable, "stopped"};
};

}  // namespace postgres
