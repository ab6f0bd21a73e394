#include "server/event_stream.hpp"

#include <algorithm>

#include "net/http_fields.hpp"
#include "protocol/channel_name.hpp"
#include "protocol/codec.hpp"
#include "server/access.hpp"

namespace server {

using base::ErrorCode;
using base::fail;
using protocol::Action;
namespace flag = protocol::flag;

namespace {

std::vector<std::string> split(std::string_view text, std::string_view separator) {
    std::vector<std::string> parts;
    for (;;) {
        const auto end = std::min(text.find(separator), text.size());
        std::string part{text.substr(0, end)};
        if (!part.empty() && std::ranges::find(parts, part) == parts.end()) parts.push_back(std::move(part));
        if (end == text.size()) return parts;
        text.remove_prefix(end + separator.size());
    }
}

/// By name: "*/*" is said by who would take anything.
bool accepts_events(const net::HttpRequest& request) {
    const auto preference = net::preference_for(request.header("accept"), "text/event-stream");
    return preference.weight > 0 && preference.specificity > 0;
}

}  // namespace

base::Result<EventStream::Options> EventStream::options_of(const Call& call) {
    const auto& request = call.request;
    const auto param = [&](const char* name) { return request.param(name).value_or(""); };
    Options options;
    options.form.events = call.request.segments.front() == "sse" || accepts_events(request);
    options.form.enveloped = param("enveloped") != "false";
    options.form.heartbeats = param("heartbeats") == "true";

    const auto names = request.param("channels").value_or(param("channel")), separator = param("separator");
    options.channels = split(names, separator.empty() ? "," : separator);
    if (options.channels.empty()) return fail(ErrorCode::invalid_parameter_value, "channels: one or more are needed");
    for (const auto& each : options.channels) {
        const auto allowed = access(call.identity, each, {auth::Operation::subscribe});
        if (!allowed) return std::unexpected(allowed.error());
    }
    options.rewind = param("rewind");
    if (!options.rewind.empty()) {
        if (const auto rewind = protocol::parse_rewind(options.rewind); !rewind) return std::unexpected(rewind.error());
    }
    auto last = param("lastEvent");
    if (const auto header = request.header("last-event-id"); !header.empty()) last = header;  // it is newer: a browser keeps the query
    if (last.empty()) return options;
    auto position = EventText::parse_position(last, options.channels.size());
    if (!position) return fail(ErrorCode::invalid_parameter_value, "lastEvent is not the id of an event of these channels");
    options.position = *std::move(position);
    return options;
}

void EventStream::open(net::Shard& shard, realtime::Hub& hub, Call call) {
    auto options = options_of(call);
    if (!options) return call.refuse(options.error());
    net::HttpResponse response;
    response.headers = {{"Content-Type", options->form.events ? "text/event-stream" : "application/json"},
                        {"Cache-Control", "no-store"},
                        {"X-Accel-Buffering", "no"}};  // proxies are to pass on an event when it comes
    const auto answer = response.stream = std::make_shared<net::HttpStream>();
    const auto stream = std::make_shared<EventStream>(shard, hub, *std::move(options), answer);
    answer->on_gone = [stream] { stream->gone(); };
    call.reply(std::move(response));
    stream->connect(std::move(call.identity));
}

EventStream::EventStream(net::Shard& shard, realtime::Hub& hub, Options options, std::shared_ptr<net::HttpStream> answer)
    : shard_(shard), hub_(hub), options_(std::move(options)), text_(options_.form, options_.channels, options_.position),
      answer_(std::move(answer)) {}

void EventStream::connect(auth::Identity identity) {
    hub_.connect({.identity = std::move(identity)}, weak_from_this(), [this](base::Result<realtime::Connection*> connection) {
        if (connection) {
            connection_ = *connection;
            return attach();
        }
        send(protocol::make_frame(protocol::Format::json, {.action = Action::error, .error = connection.error()}));
        finish();
    });
}

void EventStream::attach() {
    for (std::size_t i = 0; i < options_.channels.size() && connection_; ++i) {
        protocol::ProtocolMessage attach{.action = Action::attach, .flags = flag::subscribe | flag::presence_subscribe};
        attach.channel = options_.channels[i];
        if (!options_.position.empty()) attach.channel_serial = options_.position[i];
        if (!options_.rewind.empty()) attach.params.emplace("rewind", options_.rewind);
        hub_.receive(*connection_, std::move(attach));
    }
}

void EventStream::send(const protocol::FramePtr& frame) {
    idle_ = false;
    if (!answer_) return;
    const auto message = protocol::decode(protocol::Format::json, frame->payload());
    if (!message) return;
    answer_->write(text_.of(*message));
    if (message->action != Action::detached) return;
    // An SDK would attach again (RTL13). Here the client comes back by itself, and says from where.
    shard_.post([weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->gone();
    });
}

void EventStream::finish() {
    connection_ = nullptr;
    if (const auto answer = std::exchange(answer_, nullptr)) answer->end();
}

/// There is nothing to come back to: the client has its position.
void EventStream::gone() {
    if (const auto answer = std::exchange(answer_, nullptr)) answer->end();
    if (auto* connection = std::exchange(connection_, nullptr)) hub_.receive(*connection, {.action = Action::close});
}

}  // namespace server
