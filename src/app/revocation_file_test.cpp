#include "app/revocation_file.hpp"

#include <unistd.h>

#include <fstream>

#include <gtest/gtest.h>

using namespace app;
using auth::Revocation;

namespace {

class RevocationFileTest : public testing::Test {
protected:
    ~RevocationFileTest() override { std::filesystem::remove(path); }
    void write(const std::string& text) const { std::ofstream{path} << text; }

    const std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("palimpsest-revocations-test-" + std::to_string(::getpid()));
    const Revocation first{"app.key", "clientId:a b \"c\"\n", base::from_ms(1'800'000'000'000), base::from_ms(1'800'000'030'000)};
    const Revocation second{"app.other", "channel:foo:*", base::from_ms(1'800'000'000'001), base::from_ms(1'800'000'000'001)};
};

TEST_F(RevocationFileTest, holds_what_was_put_there_last_and_appended_since) {
    {
        RevocationFile file{path};
        EXPECT_EQ(file.read(), std::vector<Revocation>{});
        ASSERT_TRUE(file.replace(std::vector{second}));
        ASSERT_TRUE(file.replace(std::vector{first}));
        ASSERT_TRUE(file.append(std::vector{second, second}));
    }
    EXPECT_EQ(RevocationFile{path}.read(), (std::vector{first, second, second}));
    EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms{0600});
}

TEST_F(RevocationFileTest, a_line_that_a_crash_cut_short_is_passed_by_and_any_other_is_not) {
    const std::string line = R"({"keyName":"app.other","target":"channel:foo:*","issuedBefore":1800000000001,"appliesAt":1800000000001})";
    write(line + "\n" + line.substr(0, 40));
    EXPECT_EQ(RevocationFile{path}.read(), std::vector{second});
    write(line.substr(0, 40) + "\n" + line + "\n");
    EXPECT_THROW(RevocationFile{path}.read(), std::runtime_error);
}

}  // namespace
