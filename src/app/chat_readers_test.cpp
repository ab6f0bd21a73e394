#include "app/chat_readers.hpp"

#include <gtest/gtest.h>

#include "auth/app.test.hpp"

namespace app {
namespace {

using base::ErrorCode;

class ChatReadersTest : public testing::Test {
protected:
    auth::Identity identity(const std::string& capability, const std::string& app_id = "app") {
        return {.app = apps.find(app_id),
                .key_name = "app.key",
                .client_id = {},
                .capability = auth::Capability::parse(capability).value()};
    }
    static std::vector<TableConfig> fed_to(const std::vector<std::string>& channels) {
        std::vector<TableConfig> tables{{.table = "orders", .channel = "orders"}};
        for (const auto& channel : channels) tables.push_back({.table = "chat_data", .channel = channel});
        return tables;
    }
    bool may_read(const std::vector<std::string>& channels, const std::string& capability, std::string_view room = "tea") {
        return ChatReaders{"app", fed_to(channels)}.may_read(identity(capability), room).has_value();
    }
    auth::test::OneApp apps;
};

TEST_F(ChatReadersTest, who_may_read_the_history_of_the_fed_channel_reads_all_its_rooms) {
    EXPECT_TRUE(may_read({"chat"}, R"({"chat":["history"]})"));
    EXPECT_TRUE(may_read({"chat"}, R"({"*":["*"]})"));
    EXPECT_FALSE(may_read({"chat"}, R"({"chat":["subscribe","publish","presence"]})"));
    EXPECT_FALSE(may_read({"chat"}, R"({"orders":["history"],"chat2":["*"]})"));
}

TEST_F(ChatReadersTest, a_room_with_a_channel_of_its_own_is_read_with_that_channels_history) {
    EXPECT_TRUE(may_read({"room:{room}"}, R"({"room:tea":["history"]})"));
    EXPECT_TRUE(may_read({"room:{room}"}, R"({"room:*":["history"]})"));
    EXPECT_FALSE(may_read({"room:{room}"}, R"({"room:milk":["history"]})"));
    EXPECT_FALSE(may_read({"room:{room}"}, R"({"room:*":["history"]})", "")) << "a row without a room goes to no channel";
    EXPECT_FALSE(may_read({"{room}"}, R"({"*":["*"]})", "[meta]log"));
}

TEST_F(ChatReadersTest, a_channel_of_more_columns_needs_a_capability_for_all_their_values) {
    EXPECT_TRUE(may_read({"room:{room}:{client_id}"}, R"({"room:tea:*":["history"]})"));
    EXPECT_FALSE(may_read({"room:{room}:{client_id}"}, R"({"room:tea:ada":["history"],"room:tea:{client_id}":["history"]})"));
    EXPECT_FALSE(may_read({"by:{client_id}"}, R"({"by:tea":["history"]})"));
}

TEST_F(ChatReadersTest, any_of_the_channels_that_the_table_is_fed_to_will_do) {
    EXPECT_TRUE(may_read({"room:{room}", "all"}, R"({"all":["history"]})"));
    EXPECT_TRUE(may_read({"all", "room:{room}"}, R"({"room:tea":["history"]})"));
}

TEST_F(ChatReadersTest, nobody_reads_what_is_fed_to_no_channel_or_belongs_to_another_app) {
    EXPECT_FALSE(may_read({}, R"({"*":["*"]})"));
    EXPECT_FALSE(ChatReaders("other", fed_to({"chat"})).may_read(identity(R"({"*":["*"]})"), "tea"));
    std::vector<TableConfig> of_another_schema{{.schema = "shop", .table = "chat_data", .channel = "chat"}};
    EXPECT_FALSE(ChatReaders("app", of_another_schema).may_read(identity(R"({"*":["*"]})"), "tea"));
}

TEST_F(ChatReadersTest, feeds_that_change_count_at_once) {
    ChatReaders readers{"app", fed_to({"old"})};
    readers.set(fed_to({"new"}));
    EXPECT_EQ(readers.may_read(identity(R"({"old":["history"]})"), "tea").error().code, ErrorCode::capability_denied);
    EXPECT_TRUE(readers.may_read(identity(R"({"new":["history"]})"), "tea"));
}

}  // namespace
}  // namespace app
