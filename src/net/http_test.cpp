#include "net/http.hpp"

#include <gtest/gtest.h>

namespace net {
namespace {

TEST(Http, percent_coding_is_undone_and_done) {
    EXPECT_EQ(percent_decode("a%2fb%20c+d", false), "a/b c+d");
    EXPECT_EQ(percent_decode("a+b", true), "a b");
    for (const char* bad : {"%", "%2", "%zz", "a%"}) EXPECT_EQ(percent_decode(bad, false), std::nullopt) << bad;
    EXPECT_EQ(percent_encode("room:1/é?"), "room%3A1%2F%C3%A9%3F");
}

TEST(Http, a_response_says_its_length_and_a_head_has_no_body) {
    const HttpResponse response{.status = 404, .headers = {{"X", "y"}}, .body = "gone"};
    EXPECT_EQ(serialize(response, true, false),
              "HTTP/1.1 404 Not Found\r\nX: y\r\nContent-Length: 4\r\nConnection: keep-alive\r\n\r\ngone");
    EXPECT_EQ(serialize(response, false, true), "HTTP/1.1 404 Not Found\r\nX: y\r\nContent-Length: 4\r\nConnection: close\r\n\r\n");
}

TEST(Http, an_upgrade_is_asked_for_by_both_headers) {
    HttpRequest request{.headers = {{"connection", "keep-alive, Upgrade"}, {"upgrade", "WebSocket"}}};
    EXPECT_TRUE(request.asks_for_websocket());
    request.chunks = false;
    EXPECT_FALSE(request.asks_for_websocket()) << "HTTP/1.0";
    request.chunks = true;
    request.headers.erase("upgrade");
    EXPECT_FALSE(request.asks_for_websocket());
}

TEST(HttpResponse, says_how_its_body_ends) {
    const HttpResponse response{.status = 200, .headers = {{"X", "y"}}, .body = "four"};
    EXPECT_EQ(serialize(response, true, false), "HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 4\r\nConnection: keep-alive\r\n\r\nfour");
    EXPECT_EQ(serialize(response, false, true), "HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 4\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(serialize_head(response, true, Framing::chunked),
              "HTTP/1.1 200 OK\r\nX: y\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(serialize_head(response, false, Framing::close), "HTTP/1.1 200 OK\r\nX: y\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(http_chunk(std::string(26, 'x')), "1a\r\n" + std::string(26, 'x') + "\r\n");
    EXPECT_EQ(http_chunk({}), "0\r\n\r\n");
}

}  // namespace
}  // namespace net
