#include "server/browser_identity.hpp"

#include <gtest/gtest.h>

namespace server {
namespace {

net::HttpRequest with_cookie(std::string cookie) { return {.headers = {{"cookie", std::move(cookie)}}}; }

std::string cookie_of(const std::string& set_cookie) { return set_cookie.substr(0, set_cookie.find(';')); }

TEST(BrowserIdentity, a_cookie_of_ours_names_its_browser_among_others) {
    const auto cookie = cookie_of(identity_cookie("ann", "secret", false, false));
    EXPECT_EQ(client_id_of(with_cookie(cookie), "secret"), "ann");
    EXPECT_EQ(client_id_of(with_cookie("a=b; " + cookie + "; c=d"), "secret"), "ann");
}

TEST(BrowserIdentity, a_forged_or_foreign_cookie_names_nobody) {
    const auto cookie = cookie_of(identity_cookie("ann", "secret", false, false));
    EXPECT_EQ(client_id_of(with_cookie(cookie), "another"), std::nullopt);
    auto forged = cookie;
    forged.replace(forged.find("ann"), 3, "bob");
    EXPECT_EQ(client_id_of(with_cookie(forged), "secret"), std::nullopt);
    for (const char* bad : {"", "palimpsest_client=", "palimpsest_client=ann", "palimpsest_client=ann.", ";;="}) {
        EXPECT_EQ(client_id_of(with_cookie(bad), "secret"), std::nullopt) << bad;
    }
}

TEST(BrowserIdentity, scripts_never_see_the_cookie_and_other_sites_do_not_send_it) {
    EXPECT_NE(identity_cookie("ann", "s", false, false).find("; HttpOnly; SameSite=Lax"), std::string::npos);
    EXPECT_NE(identity_cookie("ann", "s", true, true).find("; HttpOnly; SameSite=None; Secure"), std::string::npos);
}

}  // namespace
}  // namespace server
