#include "net/http.hpp"

#include <gtest/gtest.h>

namespace net {
namespace {

using State = HttpParser::State;

/// Feeds as a session does: what was not consumed comes again in front of what follows.
State feed(HttpParser& parser, std::string& held, std::string_view bytes) {
    held += bytes;
    std::string_view rest{held};
    const auto state = parser.feed(rest);
    held.erase(0, held.size() - rest.size());
    return state;
}

TEST(HttpParser, reads_a_request_in_any_chunking) {
    const std::string text =
        "POST /channels/a%2Fb/messages?x=1&y=a%20b+c HTTP/1.1\r\nHost: h\r\n"
        "Content-Type: application/json\r\nContent-Length: 4\r\n\r\nbody";
    for (std::size_t size = 1; size <= text.size(); ++size) {
        HttpParser parser{1'000, 1'000};
        std::string held;
        State state = State::incomplete;
        for (std::size_t at = 0; at < text.size(); at += size) {
            ASSERT_EQ(state, State::incomplete);
            state = feed(parser, held, std::string_view{text}.substr(at, size));
        }
        ASSERT_EQ(state, State::complete) << size;
        const auto request = parser.take();
        EXPECT_EQ(request.method, "POST");
        EXPECT_EQ(request.path, "/channels/a%2Fb/messages");
        EXPECT_EQ(request.query, (std::multimap<std::string, std::string>{{"x", "1"}, {"y", "a b c"}}));
        EXPECT_EQ(request.header("content-type"), "application/json");
        EXPECT_EQ(request.body, "body");
        EXPECT_TRUE(request.keep_alive);
    }
}

TEST(HttpParser, takes_one_request_and_leaves_the_next) {
    HttpParser parser{1'000, 1'000};
    std::string held;
    ASSERT_EQ(feed(parser, held, "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.0\r\n\r\n"), State::complete);
    EXPECT_EQ(parser.take().path, "/1");
    ASSERT_EQ(feed(parser, held, ""), State::complete);
    const auto second = parser.take();
    EXPECT_EQ(second.path, "/2");
    EXPECT_FALSE(second.keep_alive);
    EXPECT_TRUE(held.empty());
}

TEST(HttpParser, bounds_header_and_body) {
    std::string held;
    HttpParser narrow{64, 10};
    EXPECT_EQ(feed(narrow, held, "GET / HTTP/1.1\r\nX: " + std::string(100, 'x')), State::header_too_large);
    held.clear();
    HttpParser small{1'000, 10};
    EXPECT_EQ(feed(small, held, "POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\n"), State::body_too_large);
    held.clear();
    HttpParser at_once{100, 10};  // a body that comes with the header does not count as one
    EXPECT_EQ(feed(at_once, held, "POST / HTTP/1.1\r\nContent-Length: 200\r\n\r\n" + std::string(200, 'x')), State::body_too_large);
    held.clear();
    for (const std::size_t piece : {1, 7, 1'000}) {  // the same bound in whatever pieces it comes
        for (const auto more : {0, 1}) {
            HttpParser exact{64, 10};
            const auto header = "GET / HTTP/1.1\r\nX: " + std::string(static_cast<std::size_t>(41 + more), 'x') + "\r\n\r\n";
            auto state = State::incomplete;
            for (std::size_t at = 0; at < header.size() && state == State::incomplete; at += piece) {
                state = feed(exact, held, header.substr(at, piece));
            }
            EXPECT_EQ(state, more == 0 ? State::complete : State::header_too_large) << piece;
            held.clear();
        }
    }
    HttpParser chunked{1'000, 10};
    EXPECT_EQ(feed(chunked, held, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n"),
              State::body_too_large);
}

TEST(HttpParser, refuses_what_is_not_http) {
    for (const std::string bad : {"\x16\x03\x01 hello", "GET\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
                                  "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                                  "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\nGET /hidden HTTP/1.1\r\n\r\n"}) {
        HttpParser parser{1'000, 1'000};
        std::string held;
        EXPECT_EQ(feed(parser, held, bad), State::malformed) << bad;
    }
}

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
