#include <fmt/format.h>

#include "base/limits.hpp"
#include "base/resource_limits.hpp"
#include "protocol/batch.hpp"
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
    // A server that has the key asks for as many clients as it has.
    const auto identity = request.header("authorization").empty() ? Result<auth::Identity>{fail(ErrorCode::unauthorized, "")}
                                                                  : identify(request, site_.apps, now);
    if (!identity && !may_ask_for_token(request)) return refuse_token(call);
    const auto issued = [&]() -> Result<auth::TokenDetails> {
        const auto& key_name = call.request.segments[1];
        const auto key = site_.apps.find_key(key_name);
        if (!key) return fail(ErrorCode::not_found, "No such key");
        count_answer(call, key.app->id, stats::Request::token);
        const auto body =
            format_sent(request) == Format::msgpack ? protocol::msgpack_to_json(request.body) : Result<std::string>{request.body};
        if (!body) return std::unexpected(body.error());
        auto wanted = auth::token_request_from_json(*body);
        if (!wanted) return std::unexpected(wanted.error());
        if (wanted->key_name.empty()) wanted->key_name = key_name;
        if (wanted->key_name != key_name) return fail(ErrorCode::invalid_credentials, "The token request is for another key");
        bool authenticated = false;
        if (!request.header("authorization").empty()) {
            if (!identity) return std::unexpected(identity.error());
            authenticated = !identity->expires && identity->key_name == key_name;
        }
        auto details = auth::issue_token(*key, *wanted, authenticated, now);
        if (!details || wanted->mac.empty()) return details;
        switch (site_.nonces.use(key_name, wanted->nonce, base::from_ms(*wanted->timestamp_ms) + auth::token_request_window, now)) {
            case Nonces::Use::first: return details;
            case Nonces::Use::again: return fail(ErrorCode::nonce_replayed, "The token request was used before");
            case Nonces::Use::full: break;
        }
        return fail(ErrorCode::rate_limit_exceeded, "Limit of the key's token requests in two minutes reached (nonces_per_key_max = {})",
                    base::limits::nonces_per_key_max);
    }();
    if (!issued) return call.refuse(issued.error());
    call.reply(respond_json(call.format, 201, auth::to_json(*issued)));
}

namespace {

constexpr auto reauth_margin = std::chrono::seconds{30};

Result<void> check_may_revoke(const auth::Identity& identity, const std::string& key_name) {
    if (identity.expires) {
        return fail(ErrorCode::operation_requires_basic_authentication, "Tokens are revoked with the key that issued them");
    }
    if (identity.key_name != key_name) return fail(ErrorCode::invalid_credentials, "A key revokes its own tokens, and no other's");
    const auto* key = identity.app->key(key_name);
    if (key && key->revocable_tokens) return {};
    return fail(ErrorCode::token_revocation_not_enabled_for_api_key, "The key's tokens cannot be revoked");
}

/// What is to be revoked. Errors, of the request as a whole: invalid_parameter_value.
Result<std::vector<protocol::RevocationResult>> results_of(const protocol::RevocationRequest& request, base::Time now) {
    const auto count = request.targets.size();
    if (count < 1 || count > base::limits::revocation_targets_max) {
        return fail(ErrorCode::invalid_parameter_value, "There are 1 to {} targets", base::limits::revocation_targets_max);
    }
    const auto issued_before = request.issued_before_ms.value_or(base::to_ms(now));
    if (issued_before > base::to_ms(now) || issued_before < base::to_ms(now - auth::revocable_token_ttl_max)) {
        return fail(ErrorCode::invalid_parameter_value, "issuedBefore is a time of the last hour");
    }
    const auto applies_at = base::to_ms(request.allow_reauth_margin ? now + reauth_margin : now);
    std::vector<protocol::RevocationResult> results;
    for (const auto& target : request.targets) {
        if (const auto known = auth::check_revocation_target(target); !known) {
            results.push_back({.target = target, .error = known.error()});
        } else {
            results.push_back({.target = target, .issued_before_ms = issued_before, .applies_at_ms = applies_at, .error = {}});
        }
    }
    return results;
}

}  // namespace

/// RSA17. When this is answered no request is served with such a token; its connections are told at the same time.
void Routes::revoke_tokens(Call call) {
    const auto& key_name = call.request.segments[1];
    if (const auto may = check_may_revoke(call.identity, key_name); !may) return call.refuse(may.error());
    const auto request = protocol::decode_revocation(format_sent(call.request), call.request.body);
    if (!request) return call.refuse(request.error());
    const auto now = base::now();
    const auto results = results_of(*request, now);
    if (!results) return call.refuse(results.error());
    std::vector<auth::Revocation> revocations;
    for (const auto& each : *results) {
        if (each.error) continue;
        revocations.push_back({key_name, each.target, base::from_ms(*each.issued_before_ms), base::from_ms(*each.applies_at_ms)});
    }
    if (const auto added = site_.apps.revocations().add(revocations, now); !added) return call.refuse(added.error());
    hub_.tokens_revoked();
    if (call.version >= batch_counts_from_version) return call.reply(respond(call.format, 200, encode_batch(call.format, *results)));
    call.reply(respond(call.format, has_failures(*results) ? 400 : 200, encode_flat_batch(call.format, *results)));
}

}  // namespace server
