#include "app/chat_api.hpp"

#include "server/credentials.hpp"
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

constexpr std::string_view messages_path = "/api/messages";
constexpr std::string_view versions_suffix = "/versions";

Result<void> may_read(const HttpRequest& request, const server::Site& site, const std::string& app_id, const std::string& channel) {
    if (site.browser_auth) return {};
    const auto identity = server::identify(request, site.apps, base::now());
    if (!identity) return std::unexpected(identity.error());
    if (identity->app_id() == app_id && auth::has(identity->capability.on(channel), auth::Operation::history)) return {};
    return fail(ErrorCode::capability_denied, "Reading the chat's history is not among this client's capabilities");
}

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

void list(functions::ChatQueries& queries, const HttpRequest& request, Reply reply) {
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
    queries.list(room, *before, wanted, [reply = std::move(reply)](Result<std::string> json) mutable { send(reply, json); });
}

void versions(functions::ChatQueries& queries, std::string_view encoded_id, Reply reply) {
    const auto id = net::percent_decode(encoded_id, false);
    if (!id || id->empty() || id->find('\0') != id->npos) return send(reply, fail(ErrorCode::not_found, "No such message"));
    queries.versions(*id, [reply = std::move(reply)](Result<std::string> json) mutable { send(reply, json); });
}

}  // namespace

server::Extension chat_api(postgres::Pool& pool, const server::Site& site, std::string app_id, std::string channel) {
    return [queries = std::make_shared<functions::ChatQueries>(pool), &site, app_id = std::move(app_id),
            channel = std::move(channel)](HttpRequest& request,
                                                                                                           Reply& reply) {
        std::string_view path{request.path};
        if (request.method != "GET" || !path.starts_with(messages_path)) return false;
        path.remove_prefix(messages_path.size());
        const bool one = path.starts_with('/') && path.ends_with(versions_suffix) && path.size() > versions_suffix.size();
        if (!path.empty() && !one) return false;
        if (const auto allowed = may_read(request, site, app_id, channel); !allowed) {
            send(reply, std::unexpected(allowed.error()));
        } else if (one) {
            path.remove_prefix(1);
            path.remove_suffix(versions_suffix.size());
            versions(*queries, path, std::move(reply));
        } else {
            list(*queries, request, std::move(reply));
        }
        return true;
    };
}

}  // namespace app
