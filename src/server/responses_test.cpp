#include "server/responses.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "net/gzip.hpp"

namespace server {
namespace {

using base::ErrorCode;
using protocol::Format;

using Headers = std::map<std::string, std::string>;

TEST(Responses, the_format_is_what_the_client_prefers_and_json_when_it_does_not_say) {
    const auto wanted = [](std::string accept) { return format_wanted({.headers = {{"accept", std::move(accept)}}}); };
    for (const auto* accept : {"application/x-msgpack", "Application/X-MsgPack", "application/json;q=0.1,application/x-msgpack"}) {
        EXPECT_EQ(wanted(accept), Format::msgpack) << accept;
    }
    for (const auto* accept : {"", "*/*", "text/html", "application/json, application/x-msgpack;q=0.9", "application/x-msgpack;q=0",
                               "application/x-msgpacked"}) {
        EXPECT_EQ(wanted(accept), Format::json) << accept;
    }
    EXPECT_EQ(format_sent({.headers = {{"content-type", "APPLICATION/x-msgpack ; a=b"}}}), Format::msgpack);
    EXPECT_EQ(format_sent({.headers = {{"content-type", "application/x-msgpacked"}}}), Format::json);
}

/// The body after it was made readable, or the code of the refusal.
std::string body_of(Headers headers, std::string body) {
    net::HttpRequest request{.headers = std::move(headers), .body = std::move(body)};
    const auto readable = make_body_readable(request);
    return readable ? request.body : std::to_string(static_cast<int>(readable.error().code));
}

TEST(Responses, a_body_is_json_or_msgpack_in_any_case_and_may_be_gzipped) {
    for (const auto* type :
         {"", "application/json", "Application/JSON", "application/json ;charset=utf-8", " application/X-msgpack"}) {
        EXPECT_EQ(body_of({{"content-type", type}}, "{}"), "{}") << type;
    }
    for (const auto* type : {"text/plain", "application/jsonp", "json"})
        EXPECT_EQ(body_of({{"content-type", type}}, "{}"), "41500") << type;
    for (const auto* coding : {"gzip", "GZip", "x-gzip", " gzip "})
        EXPECT_EQ(body_of({{"content-encoding", coding}}, net::gzip("{}", 9)), "{}") << coding;
    for (const auto* coding : {"", "identity"}) EXPECT_EQ(body_of({{"content-encoding", coding}}, "{}"), "{}") << coding;
    for (const auto* coding : {"br", "deflate", "gzip, gzip", "identity, gzip", "nonsense"}) {
        EXPECT_EQ(body_of({{"content-encoding", coding}}, net::gzip("{}", 9)), "41500") << coding;
    }
    EXPECT_EQ(body_of({{"content-encoding", "gzip"}}, "{}"), "40001");
    EXPECT_EQ(body_of({{"content-encoding", "br"}}, ""), "");
}

TEST(Responses, an_inflated_body_has_the_bound_of_any_body) {
    const std::string most(base::limits::http_body_bytes_max, 'x');
    EXPECT_EQ(body_of({{"content-encoding", "gzip"}}, net::gzip(most, 1)), most);
    EXPECT_EQ(body_of({{"content-encoding", "gzip"}}, net::gzip(most + "x", 1)), "41300");
}

Headers headers_of(const net::HttpResponse& response) { return {response.headers.begin(), response.headers.end()}; }

TEST(Responses, are_compressed_when_that_is_accepted_and_worth_it) {
    const std::string text(base::limits::http_compressed_bytes_min, 'x');
    net::HttpResponse response{.body = text};
    compress(response, true);
    EXPECT_EQ(headers_of(response), (Headers{{"Content-Encoding", "gzip"}, {"Vary", "Accept-Encoding"}}));
    EXPECT_EQ(net::gunzip(response.body, text.size()), text);
    net::HttpResponse refused{.body = text};
    compress(refused, false);
    EXPECT_EQ(headers_of(refused), (Headers{{"Vary", "Accept-Encoding"}}));
    EXPECT_EQ(refused.body, text);
    for (const auto* accept : {"gzip", "br, GZIP;q=0.1", "*"})
        EXPECT_TRUE(accepts_gzip({.headers = {{"accept-encoding", accept}}})) << accept;
    for (const auto* accept : {"", "br", "gzip;q=0, *", "*;q=0", "identity"})
        EXPECT_FALSE(accepts_gzip({.headers = {{"accept-encoding", accept}}})) << accept;
}

TEST(Responses, neither_small_nor_huge_ones_are_compressed_nor_what_has_an_entity_tag) {
    for (const auto size : {base::limits::http_compressed_bytes_min - 1, base::limits::http_compressed_bytes_max + 1}) {
        net::HttpResponse response{.body = std::string(size, 'x')};
        compress(response, true);
        EXPECT_TRUE(response.headers.empty() && response.body.size() == size) << size;
    }
    net::HttpResponse tagged{.headers = {{"ETag", "\"1\""}}, .body = std::string(10'000, 'x')};
    compress(tagged, true);
    EXPECT_EQ(tagged.body.size(), 10'000u);
}

}  // namespace
}  // namespace server
