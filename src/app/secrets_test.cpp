#include "app/secrets.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <optional>
#include <stdexcept>

#include <gtest/gtest.h>

namespace app {
namespace {

namespace fs = std::filesystem;

class SecretsTest : public testing::Test {
protected:
    ~SecretsTest() override { fs::remove_all(folder); }
    /// What it is refused with; "" when it is not.
    std::string refusal() const {
        try {
            DataFolder{folder}.secrets();
        } catch (const std::runtime_error& error) {
            return error.what();
        }
        return "";
    }
    const fs::path folder = fs::path{testing::TempDir()} / ("secrets-" + std::to_string(::getpid()));
};

}  // namespace

TEST_F(SecretsTest, are_made_once_and_for_their_owner_alone) {
    const auto old = ::umask(0);
    const auto made = DataFolder{folder}.secrets();
    ::umask(old);
    for (const auto* name : {"api-key", "connection-secret", "cookie-secret", "lock"}) {
        EXPECT_EQ(fs::status(folder / name).permissions(), fs::perms{0600}) << name;
    }
    const auto again = DataFolder{folder}.secrets();
    EXPECT_EQ(again.api_key, made.api_key);
    EXPECT_EQ(again.cookie_secret, made.cookie_secret);
}

TEST_F(SecretsTest, that_others_may_read_or_write_are_refused_with_the_command_that_helps) {
    DataFolder{folder}.secrets();
    std::ofstream{folder / "revocations"}.close();
    fs::permissions(folder / "revocations", fs::perms{0600});
    for (const auto* name : {"api-key", "connection-secret", "cookie-secret", "revocations"}) {
        const auto file = folder / name;
        for (const auto mode : {0640, 0604, 0620, 0602}) {
            fs::permissions(file, static_cast<fs::perms>(mode));
            EXPECT_TRUE(refusal().ends_with("Run: chmod 600 " + file.string())) << refusal();
        }
        fs::permissions(file, fs::perms{0600});
        EXPECT_EQ(refusal(), "");
    }
}

TEST_F(SecretsTest, within_a_configuration_may_be_readable_and_not_be_anybodys_to_write) {
    fs::create_directories(folder);
    const auto file = folder / "palimpsest.toml";
    std::ofstream{file}.close();
    fs::permissions(file, fs::perms{0644});
    EXPECT_NO_THROW(check_secrets_within(file));
    fs::permissions(file, fs::perms{0646});
    EXPECT_THROW(check_secrets_within(file), std::runtime_error);
}

TEST_F(SecretsTest, that_are_short_are_refused) {
    DataFolder{folder}.secrets();
    for (const auto& [name, text] :
         {std::pair{"api-key", "chat.k:123456789012345"}, {"connection-secret", "123456789012345"}, {"cookie-secret", "x"}}) {
        const auto file = folder / name;
        std::ofstream{file} << text << '\n';
        EXPECT_TRUE(refusal().contains("fewer than 16 characters") && refusal().ends_with("rm " + file.string())) << refusal();
        fs::remove(file);
        EXPECT_EQ(refusal(), "") << "a new one is made";
    }
}

TEST_F(SecretsTest, are_in_a_folder_of_one_process_at_a_time) {
    std::optional<DataFolder> first{folder};
    EXPECT_TRUE(refusal().contains("is in use by another palimpsest")) << refusal();
    first.reset();
    EXPECT_EQ(refusal(), "");
}

}  // namespace app
