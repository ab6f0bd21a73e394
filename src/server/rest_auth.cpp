#include <fmt/format.h>

#include "server/credentials.hpp"
#include "server/responses.hpp"
#include "server/routes.hpp"

/// Time and tokens.
namespace server {

using base::ErrorCode;
using base::fail;
using base::Result;
using protocol::Format;

void Routes::time(Call call) { call.reply(respond_json(call.format, 200, fmt::format("[{}]", base::to_ms(base::now())))); }

/// RSA8e: a signed request, or an unsigned one sent with the key, becomes a token.
void Routes::request_token(Call call) {
    const auto& request = call.request;
    const auto now = base::now();
    const auto issued = [&]() -> Result<auth::TokenDetails> {
        const auto& key_name = call.segments[1];
        const auto key = site_.apps.find_key(key_name);
        if (!key) return fail(ErrorCode::not_found, "No such key");
        const auto body =
            format_sent(request) == Format::msgpack ? protocol::msgpack_to_json(request.body) : Result<std::string>{request.body};
        if (!body) return std::unexpected(body.error());
        auto wanted = auth::token_request_from_json(*body);
        if (!wanted) return std::unexpected(wanted.error());
        if (wanted->key_name.empty()) wanted->key_name = key_name;
        if (wanted->key_name != key_name) return fail(ErrorCode::invalid_credentials, "The token request is for another key");
        bool authenticated = false;
        if (!request.header("authorization").empty()) {
            const auto identity = identify(request, site_.apps, now);
            if (!identity) return std::unexpected(identity.error());
            authenticated = !identity->expires && identity->key_name == key_name;
        }
        auto details = auth::issue_token(*key, *wanted, authenticated, now);
        if (details && !wanted->mac.empty() && !site_.nonces.use(key_name + " " + wanted->nonce, now)) {
            return fail(ErrorCode::nonce_replayed, "The token request was used before");
        }
        return details;
    }();
    if (!issued) return call.refuse(issued.error());
    call.reply(respond_json(call.format, 201, auth::to_json(*issued)));
}

}  // namespace server
