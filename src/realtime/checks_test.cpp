#include "realtime/checks.hpp"

#include <gtest/gtest.h>

using namespace realtime;
using base::ErrorCode;

namespace {

constexpr std::string_view own = "Ab3Ab3Ab3A";

/// The code that a publish with these ids over the connection is refused with; 0 when it is not.
int refused(const std::vector<std::string>& ids, std::string_view connection_id = own) {
    std::vector<protocol::Message> messages;
    for (const auto& id : ids) messages.push_back({.id = id});
    const auto checked = check_ids(messages, connection_id);
    return checked ? 0 : static_cast<int>(checked.error().code);
}

TEST(Ids, RSL1k2_messages_published_together_have_one_base_and_count_up) {
    EXPECT_EQ(refused({}), 0);
    EXPECT_EQ(refused({"", ""}), 0);
    EXPECT_EQ(refused({"any text: 7"}), 0);
    EXPECT_EQ(refused({"base:0", "base:1", "base:2"}), 0);
    EXPECT_EQ(refused({"a:b:0", "a:b:1"}), 0);
    for (const std::vector<std::string>& ids : std::vector<std::vector<std::string>>{{"base:0", ""},
                                                                                     {"", "base:1"},
                                                                                     {"base:0", "base:2"},
                                                                                     {"base:1", "base:2"},
                                                                                     {"base:0", "other:1"},
                                                                                     {"base", "base"},
                                                                                     {"base:0", "base:01"}}) {
        EXPECT_EQ(refused(ids), 40031) << ids[0] << ", " << ids[1];
    }
}

TEST(Ids, those_of_another_connections_messages_are_refused) {
    EXPECT_EQ(refused({"Ab3Ab3Ab3A:7:0"}), 0);
    EXPECT_EQ(refused({"Ab3Ab3Ab3A:7:0", "Ab3Ab3Ab3A:7:1"}), 0);
    EXPECT_EQ(refused({"Zb3Ab3Ab3A:7:0"}), 40031);
    EXPECT_EQ(refused({"Ab3Ab3Ab3A:7:0"}, ""), 40031);
    for (const auto* id :
         {"Zb3Ab3Ab3A", "Zb3Ab3Ab3A:7", "Zb3Ab3Ab3A:7:x", "Zb3Ab3Ab3A:7:", "Zb3Ab3Ab3A::0", "Zb3Ab3Ab3:7:0", "Zb3Ab3Ab3-:7:0"}) {
        EXPECT_EQ(refused({id}), 0) << id;
    }
}

}  // namespace
