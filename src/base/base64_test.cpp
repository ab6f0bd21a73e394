#include "base/base64.hpp"

#include <gtest/gtest.h>

using namespace base;

TEST(Base64, RFC4648_test_vectors) {
    const std::pair<const char*, const char*> vectors[] = {{"", ""},         {"f", "Zg=="},     {"fo", "Zm8="},      {"foo", "Zm9v"},
                                                           {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, encoded] : vectors) {
        EXPECT_EQ(base64_encode(plain), encoded);
        EXPECT_EQ(base64_decode(encoded), plain);
    }
}

TEST(Base64, url_alphabet_has_no_padding_and_both_alphabets_decode) {
    const std::string bytes = "\xfb\xff\xfe";
    EXPECT_EQ(base64_encode(bytes), "+//+");
    EXPECT_EQ(base64url_encode(bytes), "-__-");
    EXPECT_EQ(base64url_encode("f"), "Zg");
    EXPECT_EQ(base64_decode("-__-"), bytes);
    EXPECT_EQ(base64_decode("Zg"), "f");
}

TEST(Base64, refuses_what_is_not_base64) {
    for (const char* bad : {"Z", "Zm9v!", "Zg=", "====", "Zm 9v"}) EXPECT_EQ(base64_decode(bad), std::nullopt) << bad;
}
