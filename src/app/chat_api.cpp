#include "app/chat_api.hpp"

#include "server/browser_auth.hpp"
#include "server/params.hpp"
#include "server/responses.hpp"

namespace app {

using base::ErrorCode;
using base::fail;
using base::Result;
using net::HttpRequest;
using protocol::Format;
using Reply = net::HttpHandler::Reply;

namespace {

/// An empty one is as good as none.
template <class T>
Result<std::optional<T>> number(const HttpRequest& request, const std::string& name) {
    if (request.param(name) == "") return std::optional<T>{};
    return server::number_param<T>(request, name);
}

void send(Reply& reply, const Result<std::string>& json) {
    auto response = json ? server::respond(Format::json, 200, *json) : server::respond_error(Format::json, json.error());
    response.headers.emplace_back("Cache-Control", "no-store");
    reply(std::move(response));
}

struct Chat {
    functions::ChatQueries queries;
    const ChatReaders& readers;
};

void list(Chat& chat, const auth::Identity& reader, const HttpRequest& request, Reply reply) {
    const auto before = number<std::int64_t>(request, "before");
    if (!before) return send(reply, std::unexpected(before.error()));
    const auto limit = number<std::size_t>(request, "limit");
    if (!limit) return send(reply, std::unexpected(limit.error()));
    const auto wanted = limit->value_or(functions::chat_page_default);
    if (wanted < 1 || wanted > functions::chat_page_max) {
        return send(reply, fail(ErrorCode::invalid_parameter_value, "limit is 1 to {}", functions::chat_page_max));
    }
    const auto room = request.param("room").value_or("main");
    if (room.find('\0') != room.npos) return send(reply, fail(ErrorCode::invalid_parameter_value, "room holds a NUL"));
    if (const auto allowed = chat.readers.may_read(reader, room); !allowed) return send(reply, std::unexpected(allowed.error()));
    chat.queries.list(room, *before, wanted, [reply = std::move(reply)](Result<std::string> json) mutable { send(reply, json); });
}

void versions(const std::shared_ptr<Chat>& chat, auth::Identity reader, const std::string& id, Reply reply) {
    if (id.find('\0') != id.npos) return send(reply, fail(ErrorCode::not_found, "No such message"));
    auto answer = [chat, reader = std::move(reader), reply = std::move(reply)](Result<functions::ChatQueries::Versions> found) mutable {
        if (!found) return send(reply, std::unexpected(found.error()));
        const auto allowed = chat->readers.may_read(reader, found->room);
        if (!allowed) return send(reply, std::unexpected(allowed.error()));
        send(reply, std::move(found->json));
    };
    chat->queries.versions(id, std::move(answer));
}

}  // namespace

server::Extension chat_api(postgres::Pool& pool, const server::Site& site, const ChatReaders& readers) {
    const auto chat = std::make_shared<Chat>(functions::ChatQueries{pool}, readers);
    const auto for_readers = [&site](auto answer) {
        return [&site, answer](server::Call call) {
            auto reader = server::identify_reader(call.request, site.apps, site.browser_auth, base::now());
            if (!reader) return send(call.reply, std::unexpected(reader.error()));
            answer(*std::move(reader), call);
        };
    };
    using enum server::Readers;
    return {{"GET", {"api", "messages"}, our_pages, for_readers([chat](const auth::Identity& reader, server::Call& call) {
                 list(*chat, reader, call.request, std::move(call.reply));
             })},
            {"GET", {"api", "messages", "*", "versions"}, our_pages, for_readers([chat](auth::Identity reader, server::Call& call) {
                 versions(chat, std::move(reader), call.request.segments[2], std::move(call.reply));
             })}};
}

}  // namespace app
