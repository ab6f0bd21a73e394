#include "realtime/hub.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/assert.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/resource_limits.hpp"
#include "realtime/checks.hpp"
#include "realtime/connection_key.hpp"
#include "realtime/load.hpp"

namespace realtime {

using base::Error;
using base::fail;

void Mesh::post_after(std::size_t, std::chrono::milliseconds, HubTask) {}

namespace {
std::string out_of_memory(const ServerFacts& facts) {
    return fmt::format("The server has no memory to spare (limits.memory_bytes = {})", facts.memory->bytes_max());
}
}  // namespace

Hub::Hub(std::size_t index, Mesh& mesh, const ServerFacts& facts, std::unique_ptr<broker::Broker> broker, Tap* tap, Clock clock)
    : index_(index),
      mesh_(mesh),
      facts_(facts),
      clock_(clock),
      stats_(clock),
      home_(*this, index, mesh, std::move(broker), tap, clock) {
    if (tap) tap->join(*this);
}

Hub::~Hub() = default;

// --- connections ------------------------------------------------------------------------------------------------------------

/// A connect under way: what other shards are asked for, and what came of it.
struct Hub::Claim {
    ConnectRequest request;
    std::weak_ptr<Transport> transport;
    std::move_only_function<void(Result<Connection*>)> done;
    std::optional<ConnectionKey> key;
    std::size_t unanswered = 0;
    bool may_revive = false;
    Released released;
};

void Hub::connect(ConnectRequest request, std::weak_ptr<Transport> transport, std::move_only_function<void(Result<Connection*>)> done) {
    auto claim = std::make_shared<Claim>(Claim{.request = std::move(request), .transport = std::move(transport), .done = std::move(done)});
    if (!claim->request.resume_key.empty()) claim->key = check_connection_key(claim->request.resume_key, facts_.connection_secret);
    if (!claim->key) return finish_connect(*claim);
    claim->released = release(*claim->key, claim->request.identity);
    if (claim->released.found()) return finish_connect(*claim);
    // Another shard may have accepted it: a connection moves to where its client comes back.
    claim->unanswered = mesh_.size() - 1;
    claim->may_revive = may_revive(*claim->key);
    if (claim->unanswered == 0) return finish_connect(*claim);
    for (std::size_t shard = 0; shard < mesh_.size(); ++shard) {
        if (shard == index_) continue;
        mesh_.post(shard, [claim, from = index_](Hub& other) mutable {
            auto released = other.release(*claim->key, claim->request.identity);
            const bool revive = other.may_revive(*claim->key);
            // The claim goes back whole: what `done` holds is this shard's, and must not end on the other.
            other.mesh_.post(from, [claim = std::move(claim), released = std::move(released), revive](Hub& self) mutable {
                if (released.found()) claim->released = std::move(released);
                claim->may_revive = claim->may_revive || revive;
                if (--claim->unanswered == 0) self.finish_connect(*claim);
            });
        });
    }
}

/// Asked of every shard; one says yes, once: two connections with one id would be two truths about one client.
bool Hub::may_revive(const ConnectionKey& key) {
    const auto until = base::from_ms(static_cast<std::int64_t>(facts_.epoch)) + base::limits::connection_state_ttl;
    if (key.epoch == facts_.epoch || clock_() >= until || home_of(key.connection_id, mesh_.size()) != index_) return false;
    return revived_.insert(key.connection_id).second;
}

void Hub::finish_connect(Claim& claim) {
    const auto transport = claim.transport.lock();
    if (claim.key && !claim.released.found()) {
        claim.released = release(*claim.key, claim.request.identity);  // another connect with this key came first
    }
    auto connection = std::move(claim.released.connection);
    if (winding_down_) {
        if (connection) keep(std::move(connection));
        if (transport) claim.done(fail(ErrorCode::unavailable, "The server is going down; please connect again"));
        return;
    }
    if (facts_.sheds(base::Pressure::refuse_connections)) {
        if (connection) keep(std::move(connection));
        if (transport) claim.done(fail(ErrorCode::unavailable, "{}; please connect again later", out_of_memory(facts_)));
        return;
    }
    std::optional<Error> resume_failed;
    const auto& wanted = claim.request.identity;
    if (claim.released.refused) {
        if (transport) claim.done(std::unexpected(*std::move(claim.released.refused)));
        return;
    }
    if (facts_.apps.find(wanted.app_id()) != wanted.app) {  // it was removed since its credentials were checked
        if (transport) claim.done(fail(ErrorCode::not_found, "No application found with id {}", wanted.app_id()));
        return;
    }
    auto slot = transport ? auth::ConnectionSlot::take(wanted.app) : auth::ConnectionSlot{};
    if (!slot) {
        stats_.of(wanted.app_id()).refused(stats::Resource::connections);
        if (connection) keep(std::move(connection));
        return claim.done(std::unexpected(slot.error()));
    }
    if (!connection && claim.may_revive) {
        // Its state went with the process before us, which was alive within the time to live: ids and msgSerials go on, so
        // that what is sent again is known for the same; channels resume by their channelSerials.
        connection = std::make_unique<Connection>(facts_, claim.key->connection_id, true);
    }
    if (!connection && !claim.request.resume_key.empty()) {
        resume_failed = claim.key ? Error{ErrorCode::unable_to_recover_connection_expired, "Unable to recover connection: it has expired"}
                                  : Error{ErrorCode::invalid_connection_key, "Unable to recover connection: invalid connectionKey"};
    }
    if (!connection) connection = std::make_unique<Connection>(facts_, new_connection_id());

    auto& kept = *connection;
    keep(std::move(connection));
    if (!transport) return transport_lost(kept);
    auto& [self, place, away, its_slot, use] = connections_.at(kept.id());
    its_slot = *std::move(slot);
    use = {stats_, wanted.app_id(), stats::Resource::connections};
    Outbox out;
    kept.connected(*transport, std::move(claim.request.identity), claim.request.options, std::move(resume_failed), clock_(), out);
    kept.check_revoked(clock_(), out);  // it may have been since the token was looked at
    carry_out(kept, out);
    watch_expiry(kept);
    claim.done(&kept);
}

/// One whose home is here: by its key a client's HTTP requests are taken to where its connection is.
std::string Hub::new_connection_id() const {
    for (;;) {
        auto id = base::random_id(connection_id_length);
        if (home_of(id, mesh_.size()) == index_) return id;
    }
}

void Hub::keep(std::unique_ptr<Connection> connection) {
    const auto id = connection->id();
    next_place_ = (next_place_ + 1) % wheel_.size();  // those who come together are not looked at together
    wheel_[next_place_].push_back(id);
    const auto [at, added] =
        connections_.emplace(id, Kept{.connection = std::move(connection), .place = next_place_, .slot = {}, .use = {}});
    PAL_ASSERT(added);
    look_after(id, at->second);
}

/// While it has no transport.
void Hub::look_after(const std::string& id, Kept& kept) {
    if (!std::exchange(kept.away, true)) away_.push_back(id);
}

/// Takes a connection off this shard, for the one its client came back to. It stays as it is when another client asks for it.
Hub::Released Hub::release(const ConnectionKey& key, const auth::Identity& to) {
    const auto& id = key.connection_id;
    const auto found = connections_.find(id);
    if (found == connections_.end()) return {};
    auto& connection = *found->second.connection;
    if (auto same = check_same_client(to, connection.identity()); !same) return {.connection = {}, .refused = std::move(same.error())};
    if (auto* transport = connection.transport()) {  // the client gave it up before we noticed
        Outbox out;
        connection.transport_lost(clock_(), out);
        carry_out(connection, out);
        transport->finish();
    }
    auto released = std::move(found->second.connection);
    std::erase(wheel_[found->second.place], id);
    connections_.erase(found);
    return {.connection = std::move(released), .refused = {}};
}

Connection* Hub::find(const std::string& id) {
    const auto found = connections_.find(id);
    return found == connections_.end() ? nullptr : found->second.connection.get();
}

void Hub::receive(Connection& connection, ProtocolMessage&& message) {
    const bool renews = message.action == Action::auth;
    Outbox out;
    connection.receive(std::move(message), clock_(), out);
    carry_out(connection, out);
    if (renews) watch_expiry(connection);
}

void Hub::roll_up_in_time(const Connection& connection) {
    const auto end = connection.next_roll_up();
    if (!end || !rolling_.emplace(*end, connection.id()).second) return;
    const auto left = std::max(*end - clock_(), std::chrono::milliseconds{0}) + std::chrono::milliseconds{1};
    mesh_.post_after(index_, left, [](Hub& self) { self.roll_up(); });
}

void Hub::roll_up() {
    const auto now = clock_();
    while (!rolling_.empty() && rolling_.begin()->first <= now) {
        const auto due = rolling_.extract(rolling_.begin());
        auto* connection = find(due.value().second);
        if (!connection) continue;
        Outbox out;
        connection->roll_up(now, out);
        carry_out(*connection, out);
    }
}

/// What expires before the connection's next turn in the wheel is not left to that.
void Hub::watch_expiry(const Connection& connection) {
    const auto& expires = connection.identity().expires;
    const auto next_turn = clock_() + round + std::chrono::seconds{1};
    if (expires && connection.transport() && *expires < next_turn) expiring_.emplace(*expires, connection.id());
}

/// Those whose token has been renewed since are not the worse for a look.
void Hub::tick_expired(Time now) {
    while (!expiring_.empty() && expiring_.begin()->first <= now) {
        const auto expired = expiring_.extract(expiring_.begin());
        if (auto* connection = find(expired.value().second); connection && connection->transport()) tick(*connection, now);
    }
}

void Hub::refuse(Connection& connection, const protocol::Refused& refused) {
    Outbox out;
    connection.refuse(refused, out);
    carry_out(connection, out);
}

void Hub::tokens_revoked() {
    for (std::size_t shard = 0; shard < mesh_.size(); ++shard) mesh_.post(shard, [](Hub& there) { there.check_revoked(); });
}

void Hub::check_revoked() {
    std::vector<std::string> ids;
    for (const auto& [id, kept] : connections_) ids.push_back(id);
    for (const auto& id : ids) {
        auto* connection = find(id);
        if (!connection) continue;
        Outbox out;
        connection->check_revoked(clock_(), out);
        carry_out(*connection, out);
    }
}

void Hub::end_connections(const std::function<bool(const auth::Identity&)>& concerned, const Error& error) {
    std::vector<std::string> ids;
    for (const auto& [id, kept] : connections_) {
        if (concerned(kept.connection->identity())) ids.push_back(id);
    }
    for (const auto& id : ids) {
        if (auto* connection = find(id)) refuse(*connection, {.msg_serial = {}, .channel = {}, .error = error});
    }
}

void Hub::transport_lost(Connection& connection) {
    Outbox out;
    connection.transport_lost(clock_(), out);
    auto& kept = connections_.at(connection.id());
    kept.slot = {};
    kept.use = {};
    look_after(connection.id(), kept);
    carry_out(connection, out);
}

void Hub::end_absent(const ConnectionKey& key, const auth::Identity& by) {
    auto* connection = find(key.connection_id);
    if (!connection || connection->transport() || connection->key_nonce() != key.nonce) return;
    if (check_drives(by, connection->identity())) receive(*connection, {.action = Action::close});
}

void Hub::carry_out(Connection& connection, Outbox& out) {
    for (auto& step : out.steps) {
        if (auto* request = std::get_if<Request>(&step)) {
            ask(connection, *request);
        } else if (auto* transport = connection.transport()) {
            const auto& message = std::get<ProtocolMessage>(step);
            transport->answer(protocol::make_frame(connection.format(), message));
            // What is replayed goes this way, all else by an audience.
            if (message.action == Action::message) count(stats_, connection.identity().app_id(), stats::Way::outbound, load_of(message));
        }
    }
    if (out.answered) acknowledge_soon(connection);
    if (out.rolls) roll_up_in_time(connection);
    if (auto* transport = connection.transport(); transport && (out.dropped || out.ended)) {
        if (out.dropped) transport_lost(connection);
        transport->finish();
    } else if (transport) {
        transport->set_reading(!connection.congested());
    }
    if (!out.ended) return;
    if (const auto found = connections_.find(connection.id()); found != connections_.end()) {
        ended_.push_back(std::move(found->second.connection));
        connections_.erase(found);
        if (ended_.size() == 1) mesh_.post(index_, [](Hub& self) { self.ended_.clear(); });
    }
}

/// Once for all that a connection publishes in a turn.
void Hub::acknowledge_soon(const Connection& connection) {
    end_turn_soon();
    if (to_acknowledge_.empty() || to_acknowledge_.back() != connection.id()) to_acknowledge_.push_back(connection.id());
}

void Hub::end_turn_soon() {
    if (!std::exchange(turn_ends_, true)) mesh_.post(index_, [](Hub& self) { self.end_turn(); });
}

/// Everything that is ready to run has run: what it brought is handed on, many messages of a channel or a publisher at a time.
void Hub::end_turn() {
    turn_ends_ = false;
    for (const auto& address : std::exchange(to_deliver_, {})) {
        if (const auto found = hearers_.find(address); found != hearers_.end()) deliver(address, found->second);
    }
    for (const auto& id : std::exchange(to_acknowledge_, {})) {
        auto* connection = find(id);
        if (!connection || !connection->transport()) continue;
        Outbox out;
        connection->acknowledge(out);
        carry_out(*connection, out);
    }
}

Home::Follower Hub::follower(const Connection& connection, const std::string& name, const std::string& channel, const Standing& as) const {
    return {.shard = index_, .format = connection.format(), .plain = name == channel && !as.deltas, .as = as};
}

void Hub::ask(Connection& connection, Request& request) {
    if (auto* listening = std::get_if<ListenRequest>(&request)) return listen(connection, *listening);
    if (auto* listening = std::get_if<UnlistenRequest>(&request)) return unlisten(connection, *listening);
    if (auto* attaching = std::get_if<AttachRequest>(&request)) return ask_to_attach(connection, std::move(*attaching));
    if (auto* detaching = std::get_if<DetachRequest>(&request)) {
        const auto address = connection.address(detaching->channel);
        const auto gone = follower(connection, detaching->name, detaching->channel, detaching->as);
        return at_home(address, [address, gone](Hub& there) { there.home_.detach(address, gone); });
    }
    if (auto* syncing = std::get_if<SyncRequest>(&request)) {
        return presence(connection.address(syncing->channel),
                        [this, id = connection.id(), name = syncing->name](Result<std::vector<protocol::PresenceMessage>> members) {
                            auto* asking = find(id);
                            if (!asking || !members) return;
                            Outbox out;
                            asking->on_members(name, *std::move(members), out);
                            carry_out(*asking, out);
                        });
    }
    if (auto* leaving = std::get_if<LeaveRequest>(&request)) {
        const auto address = connection.address(leaving->channel);
        const auto bounds = bounds_of(connection.identity(), leaving->channel);
        return at_home(address, [address, bounds, channel = leaving->channel, id = connection.id()](Hub& there) {
            there.home_.leave(address, channel, id, bounds);
        });
    }
    auto& publishing = std::get<PublishRequest>(request);
    acknowledge_soon(connection);  // before anything is delivered: then both go out in one write
    const auto load = load_of(publishing.draft.message);
    const auto& channel = publishing.draft.message.channel;
    const auto bounds = bounds_of(connection.identity(), channel);
    publish(connection.address(channel), std::move(publishing.draft), bounds,
            [this, id = connection.id(), app = connection.identity().app, load,
             msg_serial = publishing.msg_serial](Result<std::vector<std::string>> serials) {
                if (serials) count(stats_, app->id, stats::Way::inbound, load);
                auto* publisher = find(id);
                if (!publisher) return;
                Outbox out;
                publisher->on_published(msg_serial, std::move(serials), out);
                carry_out(*publisher, out);
            });
}

void Hub::ask_to_attach(Connection& connection, AttachRequest request) {
    const auto address = connection.address(request.channel);
    const auto now = follower(connection, request.name, request.channel, request.as);
    std::optional<Home::Follower> before;
    if (request.before) before = follower(connection, request.name, request.channel, *request.before);
    auto answer = [id = connection.id(), name = request.name, number = request.number](Hub& self, Result<Attached> attached) {
        auto* asking = self.find(id);
        if (!asking) return;
        const bool replays = attached && !attached->replay.entries.empty() && asking->transport();
        if (replays && asking->transport()->backlog() > base::limits::replay_backlog_bytes_max) {
            attached = fail(ErrorCode::unavailable, "{} bytes of replays wait for the client already; attach again when it has read them",
                            base::limits::replay_backlog_bytes_max);
        }
        Outbox out;
        asking->on_attached(name, number, std::move(attached), out);
        self.carry_out(*asking, out);
    };
    at_home(address, [=, request = std::move(request), answer = std::move(answer)](Hub& there) mutable {
        there.home_.attach(address, std::move(request), now, before,
                           [&there, from = now.shard, answer = std::move(answer)](Result<Attached> attached) mutable {
                               if (from == there.index_) return answer(there, std::move(attached));
                               there.mesh_.post(from, [answer = std::move(answer), attached = std::move(attached)](Hub& self) mutable {
                                   answer(self, std::move(attached));
                               });
                           });
    });
}

void Hub::listen(Connection& connection, const ListenRequest& request) {
    auto* attachment = connection.attachment(request.name);
    const auto address = connection.address(attachment->channel);
    auto& hearers = hearers_[address];
    deliver(address, hearers);
    hearers.audience.add(
        {.name = request.name,
         .filter = attachment->filter,
         .deltas = attachment->counted.deltas,
         .whole_appends = attachment->counted.whole_appends},
        connection.format(),
        {.transport = connection.transport(),
         .connection_id = &connection.id(),
         .modes = attachment->modes,
         .echo = connection.echo(),
         .occupancy = &attachment->occupancy,
         .seat = &attachment->seat},
        request.before);
}

void Hub::unlisten(Connection& connection, const UnlistenRequest& request) {
    const auto found = hearers_.find(connection.address(request.channel));
    PAL_ASSERT(found != hearers_.end());
    auto& [address, hearers] = *found;
    deliver(address, hearers);
    hearers.audience.remove(request.name, connection.format(), request.seat);
    if (hearers.audience.empty()) hearers_.erase(found);
}

// --- channels ---------------------------------------------------------------------------------------------------------------

void Hub::at_home(const std::string& address, HubTask task) {
    const auto home = home_of(address, mesh_.size());
    if (home == index_) return task(*this);
    mesh_.post(home, std::move(task));
}

/// What the database commits has happened, and who leaves makes room: neither is refused.
void Hub::publish(const std::string& address, broker::Draft&& draft, const ChannelBounds& bounds, PublishDone done) {
    const auto leaves = [](const auto& each) { return each.action == protocol::PresenceAction::leave; };
    if (facts_.sheds(base::Pressure::refuse_publishes) && !draft.place &&
        (draft.message.presence.empty() || !std::ranges::all_of(draft.message.presence, leaves))) {
        return done(fail(ErrorCode::unavailable, "{}; try again later", out_of_memory(facts_)));
    }
    const auto home = home_of(address, mesh_.size());
    if (home == index_) return home_.publish(address, std::move(draft), bounds, std::move(done));
    mesh_.post(home, [address, bounds, draft = std::move(draft), done = std::move(done), from = index_](Hub& there) mutable {
        auto answer = [&there, from, done = std::move(done)](Result<std::vector<std::string>> serials) mutable {
            there.mesh_.post(from, [done = std::move(done), serials = std::move(serials)](Hub&) mutable { done(std::move(serials)); });
        };
        there.home_.publish(address, std::move(draft), bounds, std::move(answer));
    });
}

void Hub::history(const std::string& address, broker::HistoryQuery query, broker::HistoryDone done) {
    if (facts_.sheds(base::Pressure::drop_readers)) return done(fail(ErrorCode::unavailable, "{}; try again later", out_of_memory(facts_)));
    at_home(address, [address, query, done = std::move(done), from = index_](Hub& there) mutable {
        there.home_.history(address, query, [&there, from, done = std::move(done)](Result<broker::HistoryPage> page) mutable {
            there.mesh_.post(from, [done = std::move(done), page = std::move(page)](Hub&) mutable { done(std::move(page)); });
        });
    });
}

void Hub::look_up(const std::string& address, std::string serial, bool persisted, broker::RecordDone done) {
    at_home(address, [address, serial = std::move(serial), persisted, done = std::move(done), from = index_](Hub& there) mutable {
        there.home_.look_up(
            address, std::move(serial), persisted, [&there, from, done = std::move(done)](Result<broker::Record> record) mutable {
                there.mesh_.post(from,
                                 [done = std::move(done), record = std::move(record)](Hub&) mutable { done(std::move(record)); });
            });
    });
}

void Hub::presence(const std::string& address, PresenceDone done) {
    at_home(address, [address, done = std::move(done), from = index_](Hub& there) mutable {
        auto members = there.home_.members(address);
        there.mesh_.post(from, [done = std::move(done), members = std::move(members)](Hub&) mutable { done(std::move(members)); });
    });
}

void Hub::deliver(const std::string& address, const broker::EntryPtr& entry, const Frames& frames, const broker::EntryPtr& whole) {
    const auto found = hearers_.find(address);
    if (found == hearers_.end()) return;
    auto& undelivered = found->second.undelivered;
    if (undelivered.empty()) {
        to_deliver_.push_back(address);
        end_turn_soon();
    }
    undelivered.push_back({.entry = entry, .whole = whole, .frames = frames});
    if (undelivered.size() == base::limits::deliveries_per_run_max) deliver(address, found->second);
}

void Hub::deliver(const std::string& address, Hearers& hearers) {
    auto run = std::exchange(hearers.undelivered, {});
    if (run.empty()) return;
    hearers.audience.deliver(run, run.front().entry->message.channel);
    Load messages{.kind = stats::Kind::messages}, presence{.kind = stats::Kind::presence};
    for (const auto& each : run) {
        const auto load = load_of(each.entry->message);
        (load.kind == messages.kind ? messages : presence).add(load, static_cast<std::int64_t>(each.told));
    }
    for (const auto& load : {messages, presence}) {
        if (load.count > 0) count(stats_, app_of(address), stats::Way::outbound, load);
    }
}

void Hub::deliver(const std::string& address, const OccupancyMetrics& metrics) {
    const auto found = hearers_.find(address);
    if (found == hearers_.end()) return;
    deliver(address, found->second);
    found->second.audience.deliver(metrics);
}

void Hub::interrupted(const std::vector<std::string>& addresses) {
    const std::unordered_set<std::string> meant{addresses.begin(), addresses.end()};
    std::vector<std::string> ids;
    for (const auto& [id, kept] : connections_) ids.push_back(id);
    for (const auto& id : ids) {
        auto* connection = find(id);
        if (!connection || !connection->transport()) continue;
        Outbox out;
        connection->interrupted(meant, out);
        carry_out(*connection, out);
    }
}

// --- time -------------------------------------------------------------------------------------------------------------------

void Hub::tick() {
    const auto now = clock_();
    tick_ = (tick_ + 1) % wheel_.size();
    for (auto& id : std::exchange(wheel_[tick_], {})) {
        auto* connection = find(id);
        if (!connection) continue;
        wheel_[tick_].push_back(std::move(id));
        if (connection->transport()) tick(*connection, now);
        watch_expiry(*connection);
    }
    tick_expired(now);
    roll_up();
    if (tick_ % ticks_per_second == 0) tick_second(now);
}

void Hub::tick_second(Time now) {
    home_.tick();
    stats_.tick();
    if (tick_ == 0) home_.broker().sweep(now);
    const auto away = std::exchange(away_, {});  // one that came back and went again is in it twice
    for (const auto& id : away) {
        if (const auto found = connections_.find(id); found != connections_.end()) found->second.away = false;
    }
    for (const auto& id : away) {
        const auto found = connections_.find(id);
        if (found == connections_.end() || found->second.away || found->second.connection->transport()) continue;
        look_after(id, found->second);
        tick(*found->second.connection, now);
    }
}

void Hub::tick(Connection& connection, Time now) {
    Outbox out;
    connection.tick(now, out);
    carry_out(connection, out);
}

void Hub::wind_down() {
    winding_down_ = true;
    for (const auto& [id, kept] : connections_) {
        kept.connection->wind_down();
        if (auto* transport = kept.connection->transport()) transport->set_reading(false);
    }
}

bool Hub::owes_acknowledgements() const {
    return std::ranges::any_of(connections_, [](const auto& each) { return each.second.connection->owes_acknowledgements(); });
}

void Hub::shut_down() {
    std::vector<std::string> ids;
    for (const auto& [id, kept] : connections_) ids.push_back(id);
    for (const auto& id : ids) {
        Outbox out;
        find(id)->shut_down(out);
        carry_out(*find(id), out);
    }
}

}  // namespace realtime
