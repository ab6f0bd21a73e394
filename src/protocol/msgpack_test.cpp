#include <gtest/gtest.h>

#include <limits>

#include "protocol/json_writer.hpp"
#include "protocol/msgpack_reader.hpp"
#include "protocol/msgpack_writer.hpp"

using namespace protocol;
using namespace std::string_literals;

namespace {

std::string written(std::string_view json) {
    std::string out;
    MsgpackWriter{out}.json(json);
    return out;
}

/// The whole input as JSON text; nothing when it is refused.
std::optional<std::string> as_json(std::string_view bytes) {
    std::string out;
    MsgpackReader in{bytes};
    return in.json(out) && in.at_end() ? std::optional{out} : std::nullopt;
}

bool skipped(std::string_view bytes) {
    MsgpackReader in{bytes};
    return in.skip() && in.at_end();
}

}  // namespace

TEST(Msgpack, numbers_take_their_shortest_form) {
    const std::pair<const char*, std::string> numbers[] = {{"0", "\0"s},
                                                           {"127", "\x7f"},
                                                           {"-1", "\xff"},
                                                           {"-32", "\xe0"},
                                                           {"128", "\xcc\x80"},
                                                           {"255", "\xcc\xff"},
                                                           {"256", "\xcd\x01\0"s},
                                                           {"65535", "\xcd\xff\xff"},
                                                           {"65536", "\xce\0\x01\0\0"s},
                                                           {"4294967295", "\xce\xff\xff\xff\xff"},
                                                           {"4294967296", "\xcf\0\0\0\x01\0\0\0\0"s},
                                                           {"18446744073709551615", "\xcf\xff\xff\xff\xff\xff\xff\xff\xff"},
                                                           {"-33", "\xd0\xdf"},
                                                           {"-128", "\xd0\x80"},
                                                           {"-129", "\xd1\xff\x7f"},
                                                           {"-32768", "\xd1\x80\0"s},
                                                           {"-32769", "\xd2\xff\xff\x7f\xff"},
                                                           {"-2147483648", "\xd2\x80\0\0\0"s},
                                                           {"-2147483649", "\xd3\xff\xff\xff\xff\x7f\xff\xff\xff"},
                                                           {"1.5", "\xcb\x3f\xf8\0\0\0\0\0\0"s}};
    for (const auto& [json, bytes] : numbers) {
        EXPECT_EQ(written(json), bytes) << json;
        EXPECT_EQ(as_json(bytes), json);
        EXPECT_TRUE(skipped(bytes)) << json;
    }
}

TEST(Msgpack, numbers_in_any_form_are_read) {
    EXPECT_EQ(as_json("\xca\x3f\xc0\0\0"s), "1.5");
    EXPECT_EQ(as_json("\xd3\0\0\0\0\0\0\0\x05"s), "5");
    EXPECT_EQ(as_json("\xcf\0\0\0\0\0\0\0\x05"s), "5");
    EXPECT_EQ(as_json("\xcb\x40\x14\0\0\0\0\0\0"s), "5");
}

TEST(Msgpack, text_and_containers_of_every_length_come_back) {
    for (const std::size_t size : {0u, 1u, 15u, 16u, 31u, 32u, 255u, 256u, 65'535u, 65'536u}) {
        const auto text = '"' + std::string(size, 'x') + '"';
        EXPECT_EQ(as_json(written(text)), text) << size;
        std::string array = "[", object = "{";
        for (std::size_t i = 0; i < size; ++i) {
            array += i == 0 ? "1" : ",1";
            object += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":[]";
        }
        array += ']';
        object += '}';
        EXPECT_EQ(as_json(written(array)), array) << size;
        EXPECT_EQ(as_json(written(object)), object) << size;
        EXPECT_TRUE(skipped(written(object))) << size;
    }
    EXPECT_EQ(written(R"({"a":[true,false,null,"é"]})"), "\x81\xa1"s "a\x94\xc3\xc2\xc0\xa2é");
}

TEST(Msgpack, what_is_not_json_is_written_as_null) {
    for (const std::string_view bad : {"", "{", "[1,2", "{\"a\":[{\"b\":}]}", "1 2", "\"\\ud800"})
        EXPECT_EQ(written(bad), "\xc0") << bad;
}

TEST(Msgpack, bytes_are_read_as_they_are) {
    for (const std::size_t size : {0u, 255u, 256u, 65'535u, 65'536u}) {
        std::string bytes, out;
        MsgpackWriter{bytes}.binary(std::string(size, '\xff'));
        MsgpackReader in{bytes};
        EXPECT_TRUE(in.binary(out) && in.at_end()) << size;
        EXPECT_EQ(out, std::string(size, '\xff'));
        EXPECT_TRUE(skipped(bytes)) << size;
    }
}

TEST(Msgpack, what_json_has_no_form_for_can_be_skipped_only) {
    const std::string values[] = {"\xc4\x01x"s,  "\xc7\x02\x05xx"s, "\xc8\0\x01\x05x"s, "\xc9\0\0\0\x01\x05x"s, "\xd4\x05x"s,
                                  "\xd5\x05xx"s, "\xd6\x05xxxx"s,   "\xd7\x05xxxxxxxx"s, "\xd8\x05xxxxxxxxxxxxxxxx"s};
    for (const auto& bytes : values) {
        EXPECT_TRUE(skipped(bytes)) << testing::PrintToString(bytes);
        EXPECT_EQ(as_json(bytes), std::nullopt) << testing::PrintToString(bytes);
    }
    EXPECT_EQ(as_json("\xcb\x7f\xf8\0\0\0\0\0\0"s), std::nullopt);  // not a number
    EXPECT_EQ(as_json("\xcb\x7f\xf0\0\0\0\0\0\0"s), std::nullopt);  // infinity
}

TEST(Msgpack, JavaScripts_undefined_is_null) {
    EXPECT_EQ(as_json("\x92\xd4\0\0\x01"s), "[null,1]");
    EXPECT_TRUE(skipped("\xd4\0\0"s));
}

TEST(Msgpack, text_that_is_not_UTF8_is_replaced) {
    EXPECT_EQ(as_json("\xa1\xff"), "\"\ufffd\"");
    EXPECT_EQ(as_json("\xa5" "ab\xe2\x82" "c"), "\"ab\ufffdc\"");
    EXPECT_EQ(as_json("\x81\xa2x\xff\xa1\xc3"), "{\"x\ufffd\":\"\ufffd\"}");
    EXPECT_TRUE(skipped("\x81\xa2x\xff\xa1\xc3"));
    EXPECT_EQ(written("\"\\ud83d\""), "\xa3\ufffd");
}

TEST(Msgpack, anything_that_is_MessagePack_can_be_skipped_and_nothing_else) {
    const auto skipped_anything = [](std::string_view bytes) {
        MsgpackReader in{bytes};
        return in.skip_anything() && in.at_end();
    };
    const std::string values[] = {std::string(200'000, '\x91') + '\xc0', "\x82\x01\x02\xa1x\xc4\x01x"s, "\xd8\x05xxxxxxxxxxxxxxxx"s,
                                  "\x92\xcb\x7f\xf8\0\0\0\0\0\0\xa1\xff"s, "\xdc\0\0"s, "\x80"s};
    for (const auto& bytes : values) EXPECT_TRUE(skipped_anything(bytes)) << testing::PrintToString(bytes.substr(0, 40));
    const std::string bad[] = {"", "\xc1", "\xa1", "\x91", "\x81\x01", "\xdd\xff\xff\xff\xff\xc0", "\xdf\xff\xff\xff\xff", "\xdc\0"s,
                               std::string(200'000, '\x92') + '\xc0', "\x92\x01\xc1"};
    for (const auto& bytes : bad) EXPECT_FALSE(skipped_anything(bytes)) << testing::PrintToString(bytes.substr(0, 40));
}

TEST(Msgpack, refuses_what_is_cut_short_or_claims_more_than_there_is) {
    const std::string bad[] = {"",
                               "\xc1",
                               "\xa1",
                               "\xd9",
                               "\xd9\x02x",
                               "\xda\0"s,
                               "\xdb\xff\xff\xff\xffx",
                               "\xc4\x01",
                               "\xc6\xff\xff\xff\xff",
                               "\x91",
                               "\xdc\0"s,
                               "\xdd\xff\xff\xff\xff\xc0",
                               "\x81",
                               "\x81\xa1x",
                               "\xdf\xff\xff\xff\xff",
                               "\xcc",
                               "\xcb\0"s,
                               "\xd4",
                               "\xd4\0"s,
                               "\xc7\x05\x01",
                               "\x81\x01\x01",
                               "\x81\xc4\x01x\x01"};
    for (const auto& bytes : bad) {
        EXPECT_FALSE(skipped(bytes)) << testing::PrintToString(bytes);
        EXPECT_EQ(as_json(bytes), std::nullopt) << testing::PrintToString(bytes);
    }
}

TEST(Msgpack, nesting_is_bounded) {
    EXPECT_TRUE(skipped(std::string(nesting_max, '\x91') + '\xc0'));
    EXPECT_FALSE(skipped(std::string(nesting_max + 1, '\x91') + '\xc0'));
    EXPECT_FALSE(skipped(std::string(1'000'000, '\x91') + '\xc0'));
    EXPECT_EQ(as_json(std::string(nesting_max + 1, '\x91') + '\xc0'), std::nullopt);
}
