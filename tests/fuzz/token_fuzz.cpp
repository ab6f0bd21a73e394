#include "auth/token.hpp"
#include "base/assert.hpp"
#include "base/base64.hpp"
#include "fuzz.hpp"

using namespace auth;

namespace {

const Time now = base::from_ms(1'800'000'000'000);

const Apps& apps() {
    static const Apps& all = [] -> const Apps& {
        static Apps made;
        App app{.id = "app"};
        const auto capability = Capability::parse(R"({"chat:*":["publish","subscribe"],"*":["history"]})").value();
        PAL_ASSERT(app.add(parse_key("app.key:secret", capability).value()) && made.add(std::move(app)));
        return made;
    }();
    return all;
}

/// Whoever it is, it has no more than the key, and no longer than it says.
void check_identity(const base::Result<Identity>& identity) {
    if (!identity) return;
    const auto& key = *apps().find_key("app.key");
    PAL_ASSERT(identity->app_id() == "app" && identity->key_name == key.name);
    PAL_ASSERT(identity->capability.intersect(key.capability) == identity->capability);
    PAL_ASSERT(!identity->capability.empty() && identity->expires > now);
}

void check_request(std::string_view json) {
    auto request = token_request_from_json(json);
    if (!request) return;
    const auto& key = *apps().find_key("app.key");
    PAL_ASSERT(to_json(*token_request_from_json(to_json(*request))) == to_json(*request));
    PAL_ASSERT(request->mac == sign(*request, key.secret) || !issue_token(key, *request, false, now));
    request->mac = sign(*request, key.secret);
    if (const auto details = issue_token(key, *request, false, now)) {
        const auto identity = check_token(apps(), details->token, now);
        PAL_ASSERT(identity && identity->client_id == request->client_id && identity->capability.to_json() == details->capability);
        check_identity(identity);
    }
}

}  // namespace

/// The input is a token as it came, the claims of one that is signed (so that they are read), and a token request.
void fuzz_one(std::span<const std::byte> input) {
    const auto text = text_of(input);
    check_identity(check_token(apps(), text, now));
    const auto claims = base::base64url_encode(R"({"alg":"HS256","kid":"app.key"})") + '.' + base::base64url_encode(text);
    check_identity(check_token(apps(), claims + '.' + base::base64url_encode(hmac_sha256("secret", claims)), now));
    const auto header = base::base64url_encode(text) + ".e30";
    check_identity(check_token(apps(), header + '.' + base::base64url_encode(hmac_sha256("secret", header)), now));
    check_request(text);
    if (const auto key = apps().check(text)) PAL_ASSERT((*key)->name + ':' + (*key)->secret == text);
}
