#include "server/publishing.hpp"

#include <algorithm>
#include <tuple>

#include "base/random.hpp"
#include "realtime/checks.hpp"
#include "realtime/connection_key.hpp"
#include "realtime/drafts.hpp"
#include "realtime/load.hpp"

namespace server {

using base::ErrorCode;
using base::fail;
using base::Result;

Result<std::string> connection_key_of(std::span<const protocol::Message> messages) {
    const auto key = messages.empty() ? std::string{} : messages.front().connection_key;
    for (const auto& each : messages) {
        if (each.connection_key != key)
            return fail(ErrorCode::bad_request, "Messages are published together for one connection only");
    }
    return key;
}

namespace {

Result<Publisher> publisher_of(auth::Identity sender, std::string connection_id, const auth::Identity* found) {
    if (!found || found->app_id() != sender.app_id()) {
        return fail(ErrorCode::invalid_connection_id, "The connectionKey is not that of a live connection");
    }
    if (found->client_id.empty() || found->client_id == "*") return Publisher{std::move(sender), std::move(connection_id)};
    if (!sender.may_be(found->client_id)) {
        return fail(ErrorCode::invalid_client_id, "The credentials do not allow to publish for this connection's client");
    }
    sender.client_id = found->client_id;
    return Publisher{std::move(sender), std::move(connection_id)};
}

}  // namespace

void find_publisher(realtime::Hub& hub, auth::Identity sender, const std::string& connection_key,
                    std::move_only_function<void(Result<Publisher>)> done) {
    if (connection_key.empty()) return done(Publisher{std::move(sender), {}});
    auto key = realtime::check_connection_key(connection_key, hub.facts().connection_secret);
    if (!key) return done(publisher_of(std::move(sender), {}, nullptr));
    hub.ask_all<std::optional<auth::Identity>>(
        [id = key->connection_id](realtime::Hub& there) {
            const auto* connection = there.find(id);
            return connection ? std::optional{connection->identity()} : std::nullopt;
        },
        [sender = std::move(sender), id = key->connection_id,
         done = std::move(done)](std::vector<std::optional<auth::Identity>> answers) mutable {
            const auto found = std::ranges::find_if(answers, [](const auto& answer) { return answer.has_value(); });
            done(publisher_of(std::move(sender), std::move(id), found == answers.end() ? nullptr : &**found));
        });
}

Result<broker::Draft> draft_of(const Publisher& publisher, const Access& channel, std::vector<protocol::Message> messages) {
    auto draft = realtime::draft_messages(publisher.identity, channel.name, publisher.connection_id, std::move(messages));
    if (!draft) return draft;
    auto& message = draft->message;
    message.connection_id = publisher.connection_id;
    // In the form that ids have which are given to what is published over a connection.
    if (message.messages.front().id.empty()) message.id = base::random_id(realtime::connection_id_length) + ":0";
    else draft->perhaps_kept = true;
    return draft;
}

Result<void> check_publish_params(const net::HttpRequest& request) {
    const auto forced = request.param(std::string{realtime::force_nack_param});
    return forced ? realtime::check_force_nack(*forced) : Result<void>{};
}

void publish(realtime::Hub& hub, const Publisher& publisher, const Access& channel, broker::Draft draft,
             realtime::PublishDone done) {
    const auto load = realtime::load_of(draft.message);
    hub.publish(
        channel.address, std::move(draft), realtime::bounds_of(publisher.identity, channel.name.base),
        [&hub, load, app = publisher.identity.app, done = std::move(done)](Result<std::vector<std::string>> serials) mutable {
            if (serials) realtime::count(hub.stats(), app->id, stats::Way::inbound, load, stats::Over::rest);
            done(std::move(serials));
        });
}

std::string message_id_of(const broker::Draft& draft) {
    const auto& [id, messages] = std::tie(draft.message.id, draft.message.messages);
    if (!id.empty()) return id;
    const auto& first = messages.front().id;
    return messages.size() == 1 ? first : first.substr(0, first.rfind(':'));
}

}  // namespace server
