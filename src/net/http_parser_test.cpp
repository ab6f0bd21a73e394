#include "net/http_parser.hpp"

#include <gtest/gtest.h>

namespace net {
namespace {

using State = HttpParser::State;
using Segments = std::vector<std::string>;

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
        EXPECT_EQ(request.segments, (Segments{"channels", "a/b", "messages"}));
        EXPECT_EQ(request.query, (std::multimap<std::string, std::string>{{"x", "1"}, {"y", "a b c"}}));
        EXPECT_EQ(request.header("content-type"), "application/json");
        EXPECT_EQ(request.body, "body");
        EXPECT_TRUE(request.keep_alive);
    }
}

TEST(HttpParser, takes_one_request_and_leaves_the_next) {
    HttpParser parser{1'000, 1'000};
    std::string held;
    ASSERT_EQ(feed(parser, held, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.0\r\n\r\n"), State::complete);
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
    EXPECT_EQ(feed(small, held, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n"), State::body_too_large);
    held.clear();
    HttpParser at_once{100, 10};  // a body that comes with the header does not count as one
    EXPECT_EQ(feed(at_once, held, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 200\r\n\r\n" + std::string(200, 'x')),
              State::body_too_large);
    held.clear();
    for (const std::size_t piece : {1, 7, 1'000}) {  // the same bound in whatever pieces it comes
        for (const auto more : {0, 1}) {
            HttpParser exact{64, 10};
            const auto header = "GET / HTTP/1.0\r\nX: " + std::string(static_cast<std::size_t>(41 + more), 'x') + "\r\n\r\n";
            auto state = State::incomplete;
            for (std::size_t at = 0; at < header.size() && state == State::incomplete; at += piece) {
                state = feed(exact, held, header.substr(at, piece));
            }
            EXPECT_EQ(state, more == 0 ? State::complete : State::header_too_large) << piece;
            held.clear();
        }
    }
    HttpParser chunked{1'000, 10};
    EXPECT_EQ(feed(chunked, held, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n"),
              State::body_too_large);
}

TEST(HttpParser, refuses_what_is_not_http) {
    for (const std::string bad : {"\x16\x03\x01 hello", "GET\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
                                  "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                                  "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\nGET /hidden HTTP/1.1\r\n\r\n"}) {
        HttpParser parser{1'000, 1'000};
        std::string held;
        EXPECT_EQ(feed(parser, held, bad), State::malformed) << bad;
    }
}

/// How a request is refused, or that it is not, whole and byte by byte.
State outcome(const std::string& bytes, std::size_t header_bytes_max = 1'000, std::size_t body_bytes_max = 1'000) {
    HttpParser at_once{header_bytes_max, body_bytes_max}, bit_by_bit{header_bytes_max, body_bytes_max};
    std::string held;
    const auto expected = feed(at_once, held, bytes);
    auto state = State::incomplete;
    for (std::size_t i = 0; i < bytes.size() && state == State::incomplete; ++i) {
        std::string_view piece = std::string_view{bytes}.substr(i, 1);
        state = bit_by_bit.feed(piece);
    }
    EXPECT_EQ(state, expected) << bytes.substr(0, 200);
    EXPECT_LE(bit_by_bit.held_bytes(), header_bytes_max + body_bytes_max);
    return expected;
}

HttpRequest parsed(std::string_view bytes) {
    HttpParser parser{1'000, 1'000};
    EXPECT_EQ(parser.feed(bytes), State::complete) << bytes;
    return parser.take();
}

TEST(HttpParser, RFC9112_7_1_what_is_around_chunks_is_bounded_and_dropped) {
    const std::string chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    const auto request =
        parsed(chunked + "5;ext=1;b\r\nhello\r\n001 ;x=\"y\"\r\n!\r\n0;last\r\nHost: evil\r\nX-Forwarded-Proto: https\r\n\r\n");
    EXPECT_EQ(request.body, "hello!");
    EXPECT_EQ(request.headers, (std::map<std::string, std::string>{{"host", "h"}, {"transfer-encoding", "chunked"}}))
        << "no trailer";
    const std::string many(500, 'x');
    EXPECT_EQ(outcome(chunked + "1;" + std::string(2'000, 'x')), State::header_too_large) << "an extension without an end";
    EXPECT_EQ(outcome(chunked + "0\r\nX: " + std::string(2'000, 'x')), State::header_too_large) << "a trailer without an end";
    EXPECT_EQ(outcome(chunked + "1;" + many + "\r\na\r\n1;" + many + "\r\na\r\n1;x\r\na\r\n"), State::header_too_large)
        << "all together";
    std::string trailers = chunked + "0\r\n";
    for (int i = 0; i < 1'000; ++i) trailers += "a:b\r\n";
    EXPECT_EQ(outcome(trailers + "\r\n"), State::header_too_large);
    EXPECT_EQ(outcome(chunked + std::string(2'000, '0')), State::malformed) << "a size without an end";
    EXPECT_EQ(outcome(chunked + "ffffffffffffffff\r\n"), State::body_too_large);
    EXPECT_EQ(outcome(chunked + "3e9\r\n"), State::body_too_large);
    EXPECT_EQ(outcome(chunked + "3e8\r\n" + std::string(1'000, 'x') + "\r\n0\r\n\r\n"), State::complete);
    EXPECT_EQ(outcome(chunked + "3e8\r\n" + std::string(1'000, 'x') + "\r\n1"), State::body_too_large);
}

TEST(HttpParser, RFC9112_7_1_chunks_that_two_servers_may_see_differently_are_refused) {
    const std::string chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const std::string body : {"\r\n", "g\r\n", "-1\r\n", " 1\r\n", "0x1\r\n", "1\n", "1\rx", "1;a\nb\r\n", "1;\x01\r\n",
                                   "1\r\nab\r\n", "1\r\na\n", "0\r\n\n", "0\r\na: b\n", "0\r\n\rx", "1.0\r\n"}) {
        EXPECT_EQ(outcome(chunked + body), State::malformed) << body;
    }
}

TEST(HttpParser, RFC9112_6_1_the_only_coding_is_chunked_and_HTTP_1_0_has_none) {
    const std::string rest = "Host: h\r\nTransfer-Encoding: ";
    EXPECT_EQ(outcome("POST / HTTP/1.1\r\n" + rest + " Chunked\r\n\r\n0\r\n\r\n"), State::complete);
    EXPECT_EQ(outcome("POST / HTTP/1.0\r\nConnection: keep-alive\r\n" + rest + "chunked\r\n\r\n0\r\n\r\n"), State::malformed);
    for (const std::string codings :
         {"gzip, chunked", "chunked, gzip", "chunked, chunked", "identity", "chunked\r\nTransfer-Encoding: chunked"}) {
        EXPECT_EQ(outcome("POST / HTTP/1.1\r\n" + rest + codings + "\r\n\r\n0\r\n\r\n"), State::malformed) << codings;
    }
}

TEST(HttpParser, RFC9112_3_2_a_request_has_one_host) {
    EXPECT_EQ(outcome("GET / HTTP/1.1\r\n\r\n"), State::malformed);
    EXPECT_EQ(outcome("GET / HTTP/1.0\r\n\r\n"), State::complete);
    EXPECT_EQ(outcome("GET / HTTP/1.1\r\nHost:\r\n\r\n"), State::complete);
    EXPECT_EQ(outcome("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), State::malformed);
    EXPECT_EQ(outcome("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"), State::malformed);
}

TEST(HttpParser, RFC9112_3_2_2_a_target_may_be_a_URL_whose_host_is_the_one_that_counts) {
    for (const std::string target : {"http://host:80/a?b=c", "HTTPS://host:80/a?b=c", "ws://host:80/a?b=c"}) {
        const auto request = parsed("GET " + target + " HTTP/1.1\r\nHost: other\r\n\r\n");
        EXPECT_EQ(request.path, "/a");
        EXPECT_EQ(request.segments, Segments{"a"});
        EXPECT_EQ(request.param("b"), "c");
        EXPECT_EQ(request.header("host"), "host:80");
    }
    EXPECT_EQ(parsed("GET http://host HTTP/1.1\r\nHost: host\r\n\r\n").path, "/");
    EXPECT_EQ(parsed("GET http://host?x=1 HTTP/1.1\r\nHost: host\r\n\r\n").param("x"), "1");
    EXPECT_EQ(parsed("OPTIONS * HTTP/1.1\r\nHost: host\r\n\r\n").path, "*");
    for (const std::string target : {"time", "*", "http:///a", "http://user@host/a", "ftp://host/a", "host:80"}) {
        EXPECT_EQ(outcome("GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n"), State::malformed) << target;
    }
}

TEST(HttpParser, a_path_is_decoded_once_and_that_decides) {
    const auto segments = [](const std::string& path) { return parsed("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n").segments; };
    EXPECT_EQ(segments("/%61uth"), Segments{"auth"});
    EXPECT_EQ(segments("/"), Segments{});
    EXPECT_EQ(segments("/time/"), Segments{"time"});
    EXPECT_EQ(segments("//a%252f%2F"), (Segments{"", "a%2f/"}));
    EXPECT_EQ(outcome("GET /%6 HTTP/1.1\r\nHost: h\r\n\r\n"), State::malformed);
}

TEST(HttpParser, what_can_be_no_request_is_refused_at_its_first_byte) {
    for (const std::string bytes : {"\x16", "\r\n", " GET", "{"}) EXPECT_EQ(outcome(bytes), State::malformed) << bytes;
    EXPECT_EQ(outcome("GET"), State::incomplete);
}

TEST(HttpParser, a_field_that_comes_twice_is_a_list) {
    const auto request = parsed("GET / HTTP/1.1\r\nHost: h\r\nAccept: a\r\nCookie: x=1\r\nAccept: b\r\nCookie: y=2\r\n\r\n");
    EXPECT_EQ(request.header("accept"), "a, b");
    EXPECT_EQ(request.header("cookie"), "x=1; y=2");
}

}  // namespace
}  // namespace net
