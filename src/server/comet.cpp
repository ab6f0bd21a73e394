#include "server/comet.hpp"

#include <algorithm>

#include "protocol/codec.hpp"
#include "realtime/checks.hpp"
#include "realtime/connection_key.hpp"
#include "server/credentials.hpp"
#include "server/responses.hpp"

namespace server {

using base::Error;
using base::ErrorCode;
using net::HttpRequest;
using protocol::Action;
using protocol::Format;

namespace {

/// An answer that SDKs take for what the server tells them, whatever its status.
net::HttpResponse told(Action action, const Error& error, int status) {
    return respond(Format::json, status, "[" + protocol::encode(Format::json, {.action = action, .error = error}) + "]");
}

std::shared_ptr<net::HttpStream> answer_later(net::HttpHandler::Reply& reply) {
    auto stream = std::make_shared<net::HttpStream>();
    auto response = respond(Format::json, 200, {});
    response.headers.emplace_back("Cache-Control", "no-store");
    response.headers.emplace_back("X-Accel-Buffering", "no");  // proxies are to pass on a line when it comes
    response.stream = stream;
    reply(std::move(response));
    return stream;
}

}  // namespace

std::optional<std::size_t> Comet::elsewhere(const HttpRequest& request) const {
    const auto& segments = request.segments;
    if (segments.size() < 2 || segments[0] != "comet") return std::nullopt;
    const auto key = segments.size() > 2 ? segments[1] : request.param("resume").value_or(request.param("recover").value_or(""));
    const auto checked = realtime::check_connection_key(key, hub_.facts().connection_secret);
    if (!checked) return std::nullopt;
    const auto home = realtime::home_of(checked->connection_id, hub_.shards());
    return home == hub_.index() ? std::nullopt : std::optional{home};
}

void Comet::connect(Call call) {
    auto wanted = connect_request(call.request, hub_.facts().apps, base::now());
    if (!wanted) return call.reply(told(Action::error, wanted.error(), protocol::http_status(wanted.error())));
    if (call.request.param("format") == "msgpack") {
        return call.reply(told(Action::error, {ErrorCode::invalid_parameter_value, "Comet transports speak JSON"}, 400));
    }
    const auto way = call.request.param("stream") == "false" ? CometPeer::Way::poll : CometPeer::Way::stream;
    std::make_shared<CometPeer>(shard_, hub_, way, *this)->open(*std::move(wanted), answer_later(call.reply));
}

void Comet::on_connected(CometPeer& peer) { peers_.insert_or_assign(peer.connection_id(), peer.shared_from_this()); }

void Comet::on_over(CometPeer& peer) {
    const auto found = peers_.find(peer.connection_id());
    if (found != peers_.end() && found->second.get() == &peer) peers_.erase(found);  // and not one that came after it
}

void Comet::take(Call call) {
    const auto& what = call.request.segments[2];
    const auto key = realtime::check_connection_key(call.request.segments[1], hub_.facts().connection_secret);
    const auto found = key ? peers_.find(key->connection_id) : peers_.end();
    if (found == peers_.end() || !found->second->gave(*key)) {
        // A client that closes gives up the request that waits before it says so.
        if (what == "close" && key) hub_.end_absent(*key, call.identity);
        if (what == "close" || what == "disconnect") return call.reply({.status = 204});
        const Error gone{ErrorCode::disconnected, "There is no such transport any more; please reconnect"};
        return call.reply(told(Action::disconnected, gone, 410));
    }
    const auto peer = found->second;
    const auto allowed = realtime::check_drives(call.identity, peer->owner());
    if (what == "send") return send(*peer, allowed, std::move(call));
    if (!allowed) return call.refuse(allowed.error());
    if (what == "recv") return peer->wait(answer_later(call.reply));
    if (auto* connection = peer->connection()) {
        hub_.receive(*connection, {.action = what == "close" ? Action::close : Action::disconnect});
    }
    call.reply({.status = 204});
}

/// SDKs show a new token with the very request that brings it (RTC8): what comes with an AUTH is judged by what the AUTH may be.
void Comet::send(CometPeer& peer, const base::Result<void>& allowed, Call call) {
    auto frames = protocol::decode_frames(call.request.body);
    const bool brings_token = frames && std::ranges::any_of(*frames, [](const protocol::Received& frame) {
        const auto* message = std::get_if<protocol::ProtocolMessage>(&frame);
        return message && message->action == Action::auth;
    });
    if (!allowed && !(brings_token && call.identity.app_id() == peer.owner().app_id())) return call.refuse(allowed.error());
    if (frames) return peer.take(*std::move(frames), std::move(call.reply));
    if (peer.connection()) hub_.refuse(*peer.connection(), {.msg_serial = {}, .channel = {}, .error = frames.error()});
    call.refuse(frames.error());
}

}  // namespace server
