#include "connector/connector.hpp"

#include <set>
#include <unordered_map>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/backoff.hpp"
#include "base/log.hpp"
#include "connector/change.hpp"
#include "connector/setup.hpp"
#include "postgres/replication.hpp"

namespace connector {
namespace {

using base::Error;
using base::ErrorCode;
using namespace std::chrono_literals;
using namespace base::limits;
namespace pgoutput = postgres::pgoutput;

using StreamPtr = std::shared_ptr<postgres::ReplicationStream>;

constexpr auto confirm_interval = 250ms;
constexpr auto keepalive_interval = 1s;  // while catching up

constexpr auto epoch_2000_ms =
    std::chrono::milliseconds{std::chrono::sys_days{std::chrono::year{2000} / 1 / 1}.time_since_epoch()}.count();

bool is_transient(ErrorCode code) {
    const int status = protocol::http_status(code);
    return status >= 500 || status == 429;
}

}  // namespace

/// Outlives the Connector for as long as one of its coroutines or publishes still has a step to wind up.
class Connector::Core : public std::enable_shared_from_this<Core> {
public:
    Core(asio::io_context& io, Config config, Events events)
        : io_(io), retry_timer_(io), confirm_timer_(io), config_(std::move(config)), events_(std::move(events)),
          confirmation_({.window = config_.confirm_after, .held_bytes_max = config_.unconfirmed_wal_bytes_max}) {}

    void start() {
        postgres::spawn(io_, keep_serving(shared_from_this()));
        postgres::spawn(io_, keep_confirming(shared_from_this()));
    }

    void stop() {
        stopped_ = true;
        retry_timer_.cancel();
        confirm_timer_.cancel();
        if (session_) session_->close();
        if (stream_) stream_->stop({ErrorCode::unavailable, "stopped"});
    }

private:
    /// A fed relation, by the oid the stream names it with.
    struct Source {
        Relation relation;
        std::vector<const Feed*> feeds;
    };

    static asio::awaitable<void> keep_serving(std::shared_ptr<Core> self) {
        for (unsigned attempt = 0; !self->stopped_; ++attempt) {
            auto stream = std::make_shared<postgres::ReplicationStream>(self->io_, self->stream_events());
            self->stream_ = stream;
            const auto start = self->restart();
            const auto why = co_await self->serve(stream, start);
            if (self->stopped_) co_return;
            if (self->state_ == State::streaming) attempt = 0;
            self->set_state(State::down, why);
            self->retry_timer_.expires_after(base::backoff(attempt, 100ms, 5s));
            co_await self->retry_timer_.async_wait(asio::as_tuple(asio::use_awaitable));
        }
    }

    /// One connection's life: everything that has to be there, then the stream until it is lost.
    asio::awaitable<Error> serve(StreamPtr stream, Lsn start) {
        auto session = session_ = postgres::Session::make(io_);
        postgres::ConnectOptions options{.conninfo = config_.conninfo};
        if (auto connected = co_await session->connect(std::move(options)); !connected) co_return connected.error();
        if (auto usable = co_await check_tables(session, config_); !usable) co_return usable.error();
        if (auto published = co_await ensure_publication(session, config_); !published) co_return published.error();
        const auto end_of_wal = co_await stream->connect(config_.conninfo);
        if (!end_of_wal) co_return end_of_wal.error();
        const auto confirmed = co_await ensure_slot_and_tails(session, stream, *end_of_wal);
        if (!confirmed) co_return confirmed.error();
        if (auto started = co_await stream->start(config_.slot, config_.publication, start); !started) co_return started.error();
        if (stopped_) co_return Error{};
        announce_starts();
        if (caught_up_at_ == Lsn{}) caught_up_at_ = *end_of_wal;
        set_state(State::streaming, {});
        base::log::info("at=connector_streaming slot={} from={}", config_.slot, to_string(std::max(start, *confirmed)));
        co_return co_await stream->run();
    }

    /// Where every channel starts is known to the database before the first change is read. Gives the slot's confirmed position.
    asio::awaitable<Result<Lsn>> ensure_slot_and_tails(SessionPtr session, StreamPtr stream, Lsn end_of_wal) {
        auto tails = co_await load_tails(session, config_.slot);
        if (!tails) co_return std::unexpected(tails.error());
        auto slot = co_await find_slot(session, config_);
        if (!slot) co_return std::unexpected(slot.error());
        if (auto whole = find_gap(config_, *tails, slot->has_value(), end_of_wal); !whole) co_return std::unexpected(whole.error());
        if (!*slot) {
            base::log::info("at=slot_create slot={} note=\"waits for the write transactions that are open now\"", config_.slot);
            auto created = co_await stream->create_slot(config_.slot);
            if (!created) co_return std::unexpected(created.error());
            *slot = *created;
        }
        Tails missing;
        for (const auto& feed : config_.feeds) {
            if (!tails->contains(feed.channel)) missing[feed.channel] = {(*slot)->value, 0};
        }
        if (auto stored = co_await store_tails(session, config_.slot, missing); !stored) co_return std::unexpected(stored.error());
        tails->merge(missing);
        starts_ = *std::move(tails);
        co_return **slot;
    }

    void announce_starts() {
        if (std::exchange(started_, true)) return;
        std::set<std::string> channels;
        for (const auto& feed : config_.feeds) channels.insert(feed.channel);
        for (const auto& channel : channels) events_.on_start(address_of(channel), starts_.at(channel));
    }

    /// Forgets what was in flight: it is read again.
    Lsn restart() {
        ++generation_;
        in_flight_ = in_flight_bytes_ = 0;
        sources_.clear();
        keepalive_due_ = {};
        if (events_.on_restart) events_.on_restart();
        return confirmation_.restart();
    }

    postgres::ReplicationStream::Events stream_events() {
        return {.on_message = [this](std::string_view bytes) -> Result<void> {
                    const auto message = decoder_.decode(bytes);
                    if (!message) return std::unexpected(message.error());
                    return std::visit([this](const auto& each) { return on(each); }, **message);
                },
                .on_keepalive = [this](Lsn end) {
                    confirmation_.keepalive(end);
                    look_whether_caught_up();
                }};
    }

    Result<void> on(const pgoutput::Begin& begin) {
        commit_ = begin.commit;
        commit_time_ms_ = begin.commit_time_us / 1'000 + epoch_2000_ms;
        changes_ = 0;
        confirmation_.begin();
        return {};
    }
    Result<void> on(const pgoutput::Commit& commit) {
        if (events_.on_commit) events_.on_commit();
        confirmation_.commit(commit.end, base::now());
        look_whether_caught_up();
        return {};
    }
    Result<void> on(const pgoutput::Relation& message) {
        Source source{.relation = relation_of(message, types_), .feeds = {}};
        for (const auto& feed : config_.feeds) {
            if (feed.schema == message.schema && feed.table == message.name) source.feeds.push_back(&feed);
        }
        sources_.insert_or_assign(message.oid, std::move(source));
        return {};
    }
    Result<void> on(const pgoutput::Insert& change) { return publish(change, &Feed::inserts); }
    Result<void> on(const pgoutput::Update& change) { return publish(change, &Feed::updates); }
    Result<void> on(const pgoutput::Delete& change) { return publish(change, &Feed::deletes); }
    /// Told to who is told of deletes.
    Result<void> on(const pgoutput::Truncate& truncate) {
        for (const auto oid : truncate.relations) {
            const broker::WalPlace place{commit_.value, ++changes_};
            const auto found = sources_.find(oid);
            if (found == sources_.end()) return not_described(oid);
            for (const auto* feed : found->second.feeds) {
                if (feed->deletes) hand_over(feed->channel, place, truncated(found->second.relation));
            }
        }
        return {};
    }
    Result<void> on(const pgoutput::Origin&) { return {}; }
    Result<void> on(const pgoutput::Type& type) {
        types_.learn(type);
        return {};
    }
    Result<void> on(const pgoutput::LogicalMessage&) { return {}; }

    /// Every change of the transaction counts, fed or not: its number must not depend on which operations are wanted.
    template <class Change>
    Result<void> publish(const Change& change, bool Feed::*wanted) {
        const broker::WalPlace place{commit_.value, ++changes_};
        const auto found = sources_.find(change.relation);
        if (found == sources_.end()) return not_described(change.relation);
        std::optional<std::string> json;
        for (const auto* feed : found->second.feeds) {
            if (!(feed->*wanted)) continue;
            if (!json) {
                auto made = to_json(found->second.relation, change);
                if (!made) return std::unexpected(made.error());
                json = *std::move(made);
                if (json->size() > change_bytes_max) json = refuse_as_too_large(found->second.relation, change, place, json->size());
            }
            hand_over(feed->channel, place, *json);
            if (stopped_) break;
        }
        return {};
    }

    template <class Change>
    static std::string refuse_as_too_large(const Relation& relation, const Change& change, broker::WalPlace place, std::size_t bytes) {
        base::log::error("at=change_too_large id={} table={}.{} bytes={} note=\"told as an error with its key\"", to_id(place),
                         relation.schema, relation.name, bytes);
        return too_large(relation, change, bytes);
    }

    static std::unexpected<Error> not_described(std::uint32_t relation) {
        return base::fail(ErrorCode::internal_error, "the stream has not described relation {}", relation);
    }

    void hand_over(const std::string& channel, broker::WalPlace place, const std::string& json) {
        const auto bytes = json.size();
        broker::Draft draft{.message = {.action = protocol::Action::message, .timestamp = commit_time_ms_, .channel = channel},
                            .place = place};
        draft.message.messages.push_back(
            {.id = to_id(place), .name = config_.message_name, .data = json, .timestamp = commit_time_ms_});
        const auto ticket = confirmation_.publish(channel, place);
        ++in_flight_;
        in_flight_bytes_ += bytes;
        if (is_full()) stream_->pause();
        events_.sink(address_of(channel), std::move(draft),
                     [weak = weak_from_this(), generation = generation_, ticket, bytes, place](base::Result<void> result) {
                         if (const auto self = weak.lock()) self->on_published(generation, ticket, bytes, place, result);
                     });
    }

    void on_published(std::uint64_t generation, std::uint64_t ticket, std::size_t bytes, broker::WalPlace place,
                      const Result<void>& result) {
        if (stopped_ || generation != generation_) return;
        if (!result && is_transient(result.error().code)) {
            stream_->stop({result.error().code, "publishing failed: " + result.error().message});
            return;
        }
        if (!result) {
            base::log::error("at=change_refused id={} code={} reason=\"{}\"", to_id(place), static_cast<int>(result.error().code),
                             result.error().message);
        }
        --in_flight_;
        in_flight_bytes_ -= bytes;
        if (!is_full()) stream_->resume();
        confirmation_.acknowledge(ticket, base::now());
        look_whether_caught_up();
    }

    bool is_full() const { return in_flight_ >= changes_in_flight_max || in_flight_bytes_ >= change_bytes_in_flight_max; }

    void look_whether_caught_up() {
        if (caught_up_ || caught_up_at_ == Lsn{} || confirmation_.delivered() < caught_up_at_) return;
        caught_up_ = true;
        events_.on_caught_up();
    }

    /// The tails go to the database before the slot forgets them. A step is done before the next one is asked for.
    static asio::awaitable<void> keep_confirming(std::shared_ptr<Core> self) {
        std::optional<Confirmation::Step> step;
        while (!self->stopped_) {
            self->confirm_timer_.expires_after(confirm_interval);
            co_await self->confirm_timer_.async_wait(asio::as_tuple(asio::use_awaitable));
            if (self->stopped_ || self->state_ != State::streaming) continue;
            if (!self->caught_up_) self->ask_how_far_the_server_is();
            if (!step) step = self->confirmation_.due(base::now());
            if (!step) continue;
            const auto stream = self->stream_;
            auto stored = co_await store_tails(self->session_, self->config_.slot, step->tails);
            if (!stored) {
                stream->stop(stored.error());
                continue;
            }
            self->stream_->confirm(step->lsn);
            step.reset();
        }
    }

    void ask_how_far_the_server_is() {
        const auto now = std::chrono::steady_clock::now();
        if (now < keepalive_due_) return;
        keepalive_due_ = now + keepalive_interval;
        stream_->request_keepalive();
    }

    void set_state(State state, const Error& why) {
        if (state == state_ && why.message == reason_) return;
        if (state == State::down && why.code == ErrorCode::unable_to_recover_channel)
            base::log::error("at=connector_down reason=\"{}\"", why.message);
        else if (state == State::down) base::log::warn("at=connector_down reason=\"{}\"", why.message);
        state_ = state;
        reason_ = why.message;
        events_.on_state(state, reason_);
    }

    std::string address_of(const std::string& channel) const { return config_.app_id + "/" + channel; }

    asio::io_context& io_;
    asio::steady_timer retry_timer_, confirm_timer_;
    const Config config_;
    Events events_;
    Confirmation confirmation_;
    SessionPtr session_;
    StreamPtr stream_;
    Tails starts_;
    pgoutput::Decoder decoder_;
    Types types_;
    std::unordered_map<std::uint32_t, Source> sources_;

    Lsn commit_;  // of the open transaction
    std::int64_t commit_time_ms_ = 0;
    std::uint32_t changes_ = 0;

    std::uint64_t generation_ = 0;  // of the stream: an answer to an earlier one's publish says nothing
    std::size_t in_flight_ = 0, in_flight_bytes_ = 0;
    Lsn caught_up_at_;
    bool caught_up_ = false, started_ = false, stopped_ = false;
    std::chrono::steady_clock::time_point keepalive_due_{};
    State state_ = State::down;
    std::string reason_ = "not connected yet";
};

Connector::Connector(boost::asio::io_context& io, Config config, Events events)
    : core_(std::make_shared<Core>(io, std::move(config), std::move(events))) {
    core_->start();
}
Connector::~Connector() { core_->stop(); }

}  // namespace connector
