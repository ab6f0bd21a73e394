#include "connector/connector.hpp"

#include <deque>
#include <set>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/backoff.hpp"
#include "base/log.hpp"
#include "connector/publication.hpp"
#include "connector/setup.hpp"
#include "connector/slot_health.hpp"
#include "connector/snapshot_publisher.hpp"
#include "connector/sources.hpp"
#include "connector/sql_message.hpp"
#include "connector/type_catalogue.hpp"
#include "postgres/replication.hpp"
#include "protocol/frame_size.hpp"

namespace connector {
namespace {

using base::Error;
using base::ErrorCode;
using base::fail;
using namespace std::chrono_literals;
using namespace base::limits;
namespace pgoutput = postgres::pgoutput;

using StreamPtr = std::shared_ptr<postgres::ReplicationStream>;

constexpr auto confirm_interval = 250ms;
constexpr auto health_interval = 1s;
constexpr auto watch_interval = 1s;
constexpr int watch_share_max = 20;           // one part of so many of the time is spent looking at the fed tables' catalogue
constexpr unsigned renewals_at_once_max = 3;  // reconnects for a changed publication in a row; then with a pause
constexpr auto standby_interval = 500ms;
constexpr std::chrono::milliseconds retry_max = 5s, refused_retry_max = 1s;  // of tables that somebody is mending, most likely
constexpr auto settled_after = 10s;                                          // of streaming: the next renewal is not in a row with the last
constexpr std::size_t lag_samples_max = 100'000;  // of about a second

constexpr auto epoch_2000_us =
    std::chrono::microseconds{std::chrono::sys_days{std::chrono::year{2000} / 1 / 1}.time_since_epoch()}.count();

}  // namespace

bool is_transient(ErrorCode code) {
    const int status = protocol::http_status(code);
    return status >= 500 || status == 429;
}

void Status::count(broker::WalPlace place, const Result<void>& result) {
    ++(result ? changes : refused);
    if (result) return;
    base::log::error("at=change_refused id={} code={} reason=\"{}\"", to_id(place), static_cast<int>(result.error().code),
                     result.error().message);
}

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
        if (snapshot_publisher_) snapshot_publisher_->stop();
        if (stream_) stream_->stop({ErrorCode::unavailable, "stopped"});
    }

    void reconfigure(std::vector<Feed> feeds) {
        if (feeds == next_feeds_.value_or(config_.feeds)) return;
        next_feeds_ = std::move(feeds);
        retry_timer_.cancel();
        if (state_ == State::standby && session_) session_->close();
        if (state_ == State::streaming) stream_->stop({ErrorCode::unavailable, "the feeds have changed"});
    }

    Status status() const {
        auto status = status_;
        status.state = state_;
        status.reason = reason_;
        status.unaddressed = sources_.unaddressed();
        status.snapshot_rows = snapshot_.rows;
        status.delivered = confirmation_.delivered();
        status.confirmed = stored_;
        return status;
    }

private:
    static asio::awaitable<void> keep_serving(std::shared_ptr<Core> self) {
        for (unsigned attempt = 0; !self->stopped_; ++attempt) {
            if (self->next_feeds_) self->config_.feeds = *std::exchange(self->next_feeds_, {});
            auto stream = std::make_shared<postgres::ReplicationStream>(self->io_, self->stream_events());
            self->stream_ = stream;
            const auto start = self->restart();
            const auto why = co_await self->serve(stream, start);
            if (self->stopped_) co_return;
            if (self->state_ == State::streaming) attempt = 0;
            const bool renews = std::exchange(self->renewing_, false);
            self->set_state(State::down, why, renews);
            if (self->next_feeds_ || (renews && ++self->renewals_ <= renewals_at_once_max)) continue;
            if (renews) attempt = self->renewals_;
            self->retry_timer_.expires_after(base::backoff(attempt, 100ms, self->refused_ ? refused_retry_max : retry_max));
            co_await self->retry_timer_.async_wait(asio::as_tuple(asio::use_awaitable));
        }
    }

    /// One connection's life: everything that has to be there, then the stream until it is lost.
    asio::awaitable<Error> serve(StreamPtr stream, Lsn start) {
        auto session = session_ = postgres::Session::make(io_);
        postgres::ConnectOptions options{.conninfo = config_.conninfo};
        if (auto connected = co_await session->connect(std::move(options)); !connected) co_return connected.error();
        if (auto ours = co_await wait_for_turn(session); !ours) co_return ours.error();
        auto checked = co_await check_tables(session, config_);
        if (!checked) co_return checked.error();
        refused_ = !checked->refusals.empty();
        if (refused_) co_return co_await refuse(session, *std::move(checked));
        auto types = co_await load_types(session, type_oids(checked->tables));
        if (!types) co_return types.error();
        for (auto& [name, table] : checked->tables) {
            for (auto& column : table.columns) column.type = (*types)->read_as(column.type);
        }
        auto ensured = co_await ensure_publication(session, config_, std::move(checked->tables), futile_);
        if (!ensured) co_return ensured.error();
        if (undecodable_) {
            if (auto skipped = co_await skip_undecodable(session, ensured->tables); !skipped) co_return skipped.error();
            for (const auto& [name, table] : ensured->tables) ensured->interrupted.insert(name);
        }
        const auto& tables = ensured->tables;
        const auto end_of_wal = co_await stream->connect(config_.conninfo);
        if (!end_of_wal) co_return end_of_wal.error();
        const auto slot = co_await ensure_slot(session, stream, *end_of_wal);
        if (!slot) co_return slot.error();
        auto confirmed = slot->start;
        if (stopped_) co_return Error{};
        // A slot that was made just now begins behind it.
        const bool is_new = confirmed > *end_of_wal;
        const bool is_due = !ensured->changed && ensured->interrupted == gaps_due_;
        if (!is_new && (ensured->changed || !is_due)) renew_at_ = *end_of_wal;
        gaps_found_ = is_new ? std::set<TableName>{} : ensured->interrupted;
        announce_starts(confirmed);
        if (!snapshot_.done) {
            set_state(State::snapshot, {ErrorCode::unavailable, "the rows that were there are being published"});
            sources_.restart(config_, tables, *types, {});
            const SnapshotPublisher::Shared shared{config_, events_, sources_, status_, snapshot_};
            const auto publisher = snapshot_publisher_ = std::make_shared<SnapshotPublisher>(io_, shared, session);
            if (auto done = co_await publisher->run(tables, slot->snapshot); !done) co_return done.error();
        }
        sources_.restart(config_, tables, *types, snapshot_.parts);
        if (auto started = co_await stream->start(config_.slot, config_.publication, start); !started) co_return started.error();
        if (stopped_) co_return Error{};
        if (!gaps_found_.empty() && renew_at_ == Lsn{}) {
            if (auto told = co_await tell_gaps(session, std::max(start, confirmed)); !told) co_return told.error();
        }
        if (renew_at_ == Lsn{}) {
            gaps_due_.clear();
            if (auto stored = co_await store_fed(session, config_, tables); !stored) co_return stored.error();
        }
        if (stopped_) co_return Error{};
        served_ = marks_of(tables);
        stream->confirm(confirmed);  // says that we are here; no more than the slot has
        if (caught_up_at_ == Lsn{}) caught_up_at_ = *end_of_wal;
        streaming_since_ = watch_due_ = std::chrono::steady_clock::now();
        tell_of_children(tables);
        set_state(State::streaming, {});
        base::log::info("at=connector_streaming slot={} from={}", config_.slot, to_string(std::max(start, confirmed)));
        if (next_feeds_) stream->stop({ErrorCode::unavailable, "the feeds have changed"});
        auto why = co_await stream->run();
        undecodable_ = why.code == ErrorCode::unable_to_recover_channel;
        co_return why;
    }

    /// pgoutput looks the publication up as it was when a change was written: while it was dropped, there is none, and the stream
    /// ends there with an error, for ever.
    asio::awaitable<Result<void>> skip_undecodable(SessionPtr session, Tables tables) {
        std::set<TableName> names;
        for (const auto& [name, table] : tables) names.insert(name);
        if (auto marked = co_await mark_interrupted(session, config_.slot, std::move(names)); !marked) co_return marked;
        const auto end = co_await skip_to_end(session, config_.slot);
        if (!end) co_return std::unexpected(end.error());
        undecodable_ = false;
        base::log::error("at=slot_skipped slot={} to={} note=\"changes written while there was no publication cannot be decoded\"",
                         config_.slot, to_string(*end));
        co_return Result<void>{};
    }

    asio::awaitable<Error> refuse(SessionPtr session, CheckedTables checked) {
        auto why = to_error(checked.refusals);
        if (auto withdrawn = co_await withdraw(session, config_, std::move(checked)); !withdrawn)
            why.message += fmt::format(" (what is published could not be changed: {})", withdrawn.error().message);
        co_return why;
    }

    /// Everything that is sent from here on comes behind `from`: a client that has heard something before has missed something.
    asio::awaitable<Result<void>> tell_gaps(SessionPtr session, Lsn from) {
        const broker::WalPlace place{from.value, 0};
        Tails tails;
        for (const auto& feed : config_.feeds) {
            const TableName name{feed.schema, feed.table};
            const auto channel = ChannelTemplate::parse(feed.channel);
            if (!gaps_found_.contains(name) || !channel) continue;
            ++status_.gaps;
            base::log::error(
                "at=feed_gap table={} channel=\"{}\" place={} note=\"changes of the table before it may be missing; subscribers are "
                "told\"",
                quoted(name), feed.channel, to_id(place));
            if (channel->is_fixed()) {
                note(tails, channel->prefix(), place);
            } else if (auto raised = co_await raise_tails(session, config_.slot, channel->prefix(), from); !raised) {
                co_return raised;
            }
            if (events_.on_gap) events_.on_gap(config_.address_of(channel->prefix()), !channel->is_fixed(), place);
        }
        co_return co_await store_tails(session, config_.slot, std::move(tails), std::nullopt);
    }

    static std::map<TableName, std::string> marks_of(const Tables& tables) {
        std::map<TableName, std::string> marks;
        for (const auto& [name, table] : tables) marks.emplace(name, mark_of(table));
        return marks;
    }

    void tell_of_children(const Tables& tables) {
        std::set<std::string> children;
        for (const auto& [name, table] : tables) {
            for (const auto& child : table.children) {
                if (children.insert(child).second && !told_children_.contains(child))
                    base::log::warn("at=child_not_fed table={} child={} note=\"rows of tables that inherit are not fed with it\"",
                                    quoted(name), child);
            }
        }
        told_children_ = std::move(children);
    }

    /// Of the columns, and of those that the stream has had.
    std::vector<std::uint32_t> type_oids(const Tables& tables) const {
        std::vector<std::uint32_t> oids{streamed_types_.begin(), streamed_types_.end()};
        for (const auto& [name, table] : tables) {
            for (const auto& column : table.columns) oids.push_back(column.type);
        }
        return oids;
    }

    /// Whoever reads the slot has it; we go on when they are gone.
    asio::awaitable<Result<void>> wait_for_turn(SessionPtr session) {
        for (;;) {
            const auto reader = co_await find_reader(session, config_.slot);
            if (!reader) co_return std::unexpected(reader.error());
            if (!*reader || stopped_) co_return Result<void>{};
            set_state(State::standby, {ErrorCode::conflict, fmt::format("the slot {} is active for PID {}", config_.slot, **reader)});
            co_await session->sleep(std::chrono::steady_clock::now() + standby_interval);
        }
    }

    /// Where every channel starts is known to the database before the first change is read. Gives the slot's confirmed position and,
    /// when rows are still to be published and the slot is new, its snapshot.
    asio::awaitable<Result<postgres::NewSlot>> ensure_slot(SessionPtr session, StreamPtr stream, Lsn end_of_wal) {
        auto kept = co_await load_kept(session, config_.slot);
        if (!kept) co_return std::unexpected(kept.error());
        auto slot = co_await find_slot(session, config_);
        auto usable = slot ? find_gap(config_, *kept, *slot, end_of_wal) : Result<void>{std::unexpected(slot.error())};
        if (!usable) {
            // In a process that has subscribers, they would not hear of the gap.
            const bool may = config_.recreate_slot && !started_ && usable.error().code == ErrorCode::unable_to_recover_channel;
            if (!may) co_return std::unexpected(usable.error());
            base::log::error("at=slot_recreated slot={} note=\"subscribers are told that changes are missing\" reason=\"{}\"", config_.slot,
                             usable.error().message);
            if (auto forgotten = co_await forget_slot(session, config_.slot); !forgotten) co_return std::unexpected(forgotten.error());
            kept->tails.clear();
            kept->position.reset();
            slot = std::optional<Lsn>{};
        }
        postgres::NewSlot ours;
        if (*slot) {
            ours.start = **slot;
            auto snapshot = co_await load_snapshot(session, config_.slot);
            if (!snapshot) co_return std::unexpected(snapshot.error());
            // A slot of which nothing is kept was made just now, by somebody or by a process that ended at once.
            const bool is_fresh = kept->tails.empty() && !kept->position;
            if (!*snapshot && is_fresh && config_.snapshot == Snapshot::initial) {
                auto begun = co_await begin_snapshot(session, config_.slot, ours.start);
                if (!begun) co_return std::unexpected(begun.error());
                *snapshot = *std::move(begun);
            }
            snapshot_ = snapshot->value_or(SnapshotState{.start = {}, .at = {}, .done = true, .parts = {}});
        } else {
            auto created = co_await create_slot(session, stream);
            if (!created) co_return std::unexpected(created.error());
            ours = *std::move(created);
        }
        const Lsn start = snapshot_.done ? ours.start : snapshot_.start;
        Tails missing;
        for (const auto& feed : config_.feeds) {
            const auto channel = ChannelTemplate::parse(feed.channel);
            if (!channel) co_return std::unexpected(channel.error());
            const auto name = channel->is_fixed() ? channel->prefix() : other_channels;
            if (!kept->tails.contains(name)) missing[name] = {start.value, 0};
        }
        stored_ = std::max(kept->position.value_or(Lsn{}), ours.start);
        if (!kept->position || !missing.empty()) {
            auto stored = co_await store_tails(session, config_.slot, missing, stored_);
            if (!stored) co_return std::unexpected(stored.error());
        }
        if (auto pruned = co_await prune_tails(session, config_.slot); !pruned) co_return std::unexpected(pruned.error());
        kept->tails.merge(missing);
        starts_ = std::move(kept->tails);
        token_ = std::move(kept->token);
        co_return ours;
    }

    asio::awaitable<Result<postgres::NewSlot>> create_slot(SessionPtr session, StreamPtr stream) {
        base::log::info("at=slot_create slot={} note=\"waits for the write transactions that are open now\"", config_.slot);
        const bool with_snapshot = config_.snapshot == Snapshot::initial;
        auto created = co_await stream->create_slot(config_.slot, postgres::SlotLife::lasting, with_snapshot);
        if (!created) co_return std::unexpected(created.error());
        if (!with_snapshot) {
            snapshot_ = {.start = {}, .at = {}, .done = true, .parts = {}};
            if (auto dropped = co_await drop_snapshot(session, config_.slot); !dropped) co_return std::unexpected(dropped.error());
            co_return created;
        }
        auto begun = co_await begin_snapshot(session, config_.slot, created->start);
        if (!begun) co_return std::unexpected(begun.error());
        snapshot_ = *std::move(begun);
        co_return created;
    }

    /// Of channels that are new to this process. What is known of a channel is its tail, or that it is no later than others may be.
    void announce_starts(Lsn confirmed) {
        const auto least = starts_.contains(all_channels) ? starts_.at(all_channels) : broker::WalPlace{};
        const auto others = starts_.contains(other_channels) ? starts_.at(other_channels) : broker::WalPlace{confirmed.value, 0};
        const bool first = !std::exchange(started_, true);
        const auto under = [&](const std::string& prefix, bool all) {
            if (events_.on_start_under) events_.on_start_under(config_.address_of(prefix), std::max(others, least), all);
        };
        if (first) under("", false);
        for (const auto& feed : config_.feeds) {
            const auto channel = ChannelTemplate::parse(feed.channel);
            if (channel && !channel->is_fixed() && announced_.insert(feed.channel).second) under(channel->prefix(), true);
        }
        for (const auto& [channel, place] : starts_) {
            const bool is_name = channel != other_channels && channel != all_channels;
            const bool is_feeds = std::ranges::find(config_.feeds, channel, &Feed::channel) != config_.feeds.end();
            if (!is_name || !(first || is_feeds) || !announced_.insert(channel).second) continue;
            events_.on_start(config_.address_of(channel), std::max(place, least));
        }
        starts_.clear();
        if (!first || snapshot_.done) return;
        caught_up_ = true;  // of a slot that was never read, there is nothing to be read again
        events_.on_caught_up();
    }

    // --- the stream -----------------------------------------------------------------------------------------------------------

    /// Forgets what was in flight: it is read again.
    Lsn restart() {
        ++generation_;
        in_flight_ = in_flight_bytes_ = 0;
        health_due_ = {};
        renew_at_ = {};
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
        committed_ = {.place = {begin.commit.value, 0}, .time_us = begin.commit_time_us + epoch_2000_us, .xid = begin.xid};
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
        const auto unknown = sources_.unknown_types(message);
        if (!unknown.empty()) {  // a column was added, of a type that was made since: the stream begins again, knowing it
            streamed_types_.insert(unknown.begin(), unknown.end());
            renewing_ = true;
            return base::fail(ErrorCode::unavailable, "{}.{} has a column of a new type", message.schema, message.name);
        }
        sources_.describe(message);
        return {};
    }
    Result<void> on(const pgoutput::Insert& change) { return publish(change); }
    Result<void> on(const pgoutput::Update& change) { return publish(change); }
    Result<void> on(const pgoutput::Delete& change) { return publish(change); }
    Result<void> on(const pgoutput::Truncate& truncate) {
        for (const auto relation : truncate.relations) {
            ++committed_.place.index;
            auto told = sources_.truncated(relation, committed_);
            if (!told) return std::unexpected(told.error());
            for (auto& each : *told) publish(std::move(each));
        }
        return {};
    }
    Result<void> on(const pgoutput::Origin&) { return {}; }
    Result<void> on(const pgoutput::Type&) { return {}; }  // of a domain it has no more than the name of what is below
    Result<void> on(const pgoutput::LogicalMessage& message) {
        if (!message.transactional || message.prefix != sql_message_prefix) return {};
        ++committed_.place.index;
        auto read = read_sql_message(message.content, token_);
        if (!read) {
            ++status_.refused;
            base::log::warn("at=sql_message_refused id={} reason=\"{}\"", to_id(committed_.place), read.error().message);
            return {};
        }
        if (const auto bytes = size_of(read->message); bytes > change_bytes_max || !protocol::fits_frame(read->message)) {
            base::log::error("at=sql_message_too_large id={} bytes={} note=\"told as an error\"", to_id(committed_.place), bytes);
            read->message = too_large(std::move(read->message.name), bytes);
        }
        read->message.id = to_id(committed_.place);
        read->message.timestamp = committed_.time_ms();
        Told told{.channel = std::move(read->channel), .messages = {std::move(read->message)}, .rows = false};
        publish(std::move(told));
        return {};
    }

    /// Every change of the transaction counts, fed or not: its number must not depend on what is wanted.
    template <class Change>
    Result<void> publish(const Change& change) {
        ++committed_.place.index;
        auto told = sources_.tell(change, committed_);
        if (!told) return std::unexpected(told.error());
        for (auto& each : *told) {
            if (stopped_) break;
            publish(std::move(each));
        }
        return {};
    }

    void publish(Told told) {
        const auto place = committed_.place;
        const auto ticket = confirmation_.publish(told.channel, place);
        const auto bytes = told.bytes();
        const auto address = config_.address_of(told.channel);
        ++in_flight_;
        in_flight_bytes_ += bytes;
        if (is_full()) stream_->pause();
        events_.sink(address, draft_of(std::move(told), committed_),
                     [weak = weak_from_this(), generation = generation_, ticket, bytes, place](const Result<void>& result) {
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
        status_.count(place, result);
        --in_flight_;
        in_flight_bytes_ -= bytes;
        if (!is_full()) stream_->resume();
        confirmation_.acknowledge(ticket, base::now());
        look_whether_caught_up();
    }

    bool is_full() const { return in_flight_ >= changes_in_flight_max || in_flight_bytes_ >= change_bytes_in_flight_max; }

    /// A walsender that has come by the change of the publication may go on as before it, for ever (seen with Postgres 15.18): another one
    /// begins behind it.
    void look_whether_to_renew() {
        if (renew_at_ == Lsn{} || confirmation_.delivered() < renew_at_) return;
        renew_at_ = {};
        renewing_ = true;
        gaps_due_ = gaps_found_;
        stream_->stop({ErrorCode::unavailable, "the publication has changed"});
    }

    void look_whether_caught_up() {
        look_whether_to_renew();
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
            const auto stream = self->stream_;
            auto asked = co_await self->look_after_slot(stream);
            if (asked && !self->stopped_ && self->state_ == State::streaming && stream == self->stream_)
                asked = co_await self->look_after_feeds(stream);
            if (!asked) {
                stream->stop(asked.error());
                continue;
            }
            if (self->stopped_ || self->state_ != State::streaming || stream != self->stream_) continue;
            if (auto next = self->confirmation_.due(base::now())) {
                if (!step) step.emplace();
                step->lsn = next->lsn;
                for (const auto& [channel, place] : next->tails) note(step->tails, channel, place);
            }
            // What is stored is WAL itself: without anything published, now and then is enough.
            if (!step || (step->tails.empty() && step->lsn.value < self->stored_.value + unstored_wal_bytes_max)) continue;
            auto stored = co_await store_tails(self->session_, self->config_.slot, step->tails, step->lsn);
            if (!stored) {
                stream->stop(stored.error());
                continue;
            }
            self->stored_ = std::max(self->stored_, step->lsn);
            self->tails_stored_ += step->tails.size();
            if (self->tails_stored_ > channel_tails_max) {
                self->tails_stored_ = 0;
                if (auto pruned = co_await prune_tails(self->session_, self->config_.slot); !pruned) stream->stop(pruned.error());
            }
            stream->confirm(step->lsn);
            step.reset();
        }
    }

    /// A publication keeps relations, and a configuration keeps names: DDL parts the two, and nothing in the stream says so.
    asio::awaitable<Result<void>> look_after_feeds(StreamPtr stream) {
        const auto begin = std::chrono::steady_clock::now();
        if (begin < watch_due_) co_return Result<void>{};
        const auto session = session_;
        auto checked = co_await check_tables(session, config_);
        if (!checked) co_return std::unexpected(checked.error());
        if (!checked->refusals.empty()) {
            const auto why = co_await refuse(session, *std::move(checked));
            co_return std::unexpected(why);
        }
        const auto found = co_await find_publication(session, config_);
        if (!found) co_return std::unexpected(found.error());
        if (stopped_ || stream != stream_ || state_ != State::streaming) co_return Result<void>{};
        const auto end = std::chrono::steady_clock::now();
        watch_due_ = end + std::max<std::chrono::steady_clock::duration>(watch_interval, (end - begin) * watch_share_max);
        if (begin > streaming_since_ + settled_after) renewals_ = 0;
        tell_of_children(checked->tables);
        if (marks_of(checked->tables) == served_ && change_of(*found, config_, checked->tables, session->server_version()).empty())
            co_return Result<void>{};
        renewing_ = true;
        base::log::warn("at=feeds_changed note=\"a fed table was made anew or renamed, or somebody has changed the publication\"");
        co_return fail(ErrorCode::unavailable, "the fed tables or their publication have changed");
    }

    asio::awaitable<Result<void>> look_after_slot(StreamPtr stream) {
        const auto now = std::chrono::steady_clock::now();
        if (now < health_due_) co_return Result<void>{};
        health_due_ = now + health_interval;
        const auto health = co_await ask_slot_health(session_, config_.slot);
        if (!health) co_return std::unexpected(health.error());
        const auto delivered = confirmation_.delivered();
        status_.lag_bytes = health->end_of_wal > delivered ? health->end_of_wal.value - delivered.value : 0;
        if (status_.lag_bytes > 0) stream->request_keepalive();
        if (ends_of_wal_.size() < lag_samples_max) ends_of_wal_.emplace_back(health->end_of_wal, now);
        while (!ends_of_wal_.empty() && ends_of_wal_.front().first <= delivered) ends_of_wal_.pop_front();
        status_.lag = ends_of_wal_.empty() ? 0ms : std::chrono::duration_cast<std::chrono::milliseconds>(now - ends_of_wal_.front().second);
        status_.wal_status = health->wal_status;
        status_.safe_wal_bytes = health->safe_wal_bytes;
        if (std::exchange(endangered_, health->is_endangered()) != health->is_endangered()) {
            if (endangered_) {
                base::log::warn("at=slot_endangered slot={} wal_status={} safe_bytes={} lag_bytes={}", config_.slot, health->wal_status,
                                health->safe_wal_bytes.value_or(0), status_.lag_bytes);
            } else {
                base::log::info("at=slot_safe slot={}", config_.slot);
            }
        }
        if (events_.on_status) events_.on_status(status());
        co_return Result<void>{};
    }

    void set_state(State state, const Error& why, bool renews = false) {
        if (state == state_ && why.message == reason_) return;
        if (state == State::down && why.code == ErrorCode::unable_to_recover_channel)
            base::log::error("at=connector_down reason=\"{}\"", why.message);
        else if (state == State::down && !next_feeds_ && !renews) base::log::warn("at=connector_down reason=\"{}\"", why.message);
        else if (state == State::standby) base::log::info("at=connector_standby reason=\"{}\"", why.message);
        state_ = state;
        reason_ = why.message;
        events_.on_state(state, reason_);
    }

    asio::io_context& io_;
    asio::steady_timer retry_timer_, confirm_timer_;
    Config config_;
    std::optional<std::vector<Feed>> next_feeds_;  // as soon as the stream is down
    Events events_;
    Confirmation confirmation_;
    SessionPtr session_;
    StreamPtr stream_;
    Tails starts_;
    std::set<std::string> announced_;  // channels and templates
    pgoutput::Decoder decoder_;
    Sources sources_;
    std::set<std::uint32_t> streamed_types_;  // oids that relations in the stream had and the catalogue had not been asked about
    SnapshotState snapshot_;
    std::shared_ptr<SnapshotPublisher> snapshot_publisher_;
    std::string token_;  // of palimpsest.publish()

    Committed committed_;  // the last change of the open transaction

    std::uint64_t generation_ = 0;  // of the stream: an answer to an earlier one's publish says nothing
    std::size_t in_flight_ = 0, in_flight_bytes_ = 0, tails_stored_ = 0;
    std::map<TableName, std::string> served_;  // as mark_of() has them
    std::set<TableName> gaps_found_, gaps_due_;  // those that this stream has; and those that it begins behind, so that they can be told of
    std::set<std::string> told_children_;
    std::shared_ptr<std::string> futile_ = std::make_shared<std::string>();  // of ensure_publication()
    unsigned renewals_ = 0;  // in a row
    bool refused_ = false, undecodable_ = false;
    std::chrono::steady_clock::time_point streaming_since_{}, watch_due_{};
    Lsn caught_up_at_, stored_, renew_at_;
    bool caught_up_ = false, renewing_ = false, started_ = false, stopped_ = false, endangered_ = false;
    std::chrono::steady_clock::time_point health_due_{};
    std::deque<std::pair<Lsn, std::chrono::steady_clock::time_point>> ends_of_wal_;  // as they were, of the time we are behind
    State state_ = State::down;
    std::string reason_ = "not connected yet";
    Status status_;
};

Connector::Connector(boost::asio::io_context& io, Config config, Events events)
    : core_(std::make_shared<Core>(io, std::move(config), std::move(events))) {
    core_->start();
}
Connector::~Connector() { core_->stop(); }
void Connector::reconfigure(std::vector<Feed> feeds) { core_->reconfigure(std::move(feeds)); }
Status Connector::status() const { return core_->status(); }

}  // namespace connector
