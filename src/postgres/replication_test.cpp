#include "postgres/replication.hpp"

#include <gtest/gtest.h>

namespace postgres {

TEST(Replication, a_lasting_slot_fails_over_where_the_server_has_slots_that_do) {
    EXPECT_EQ(create_slot_command("a", SlotLife::lasting, true, 170'000),
              R"(CREATE_REPLICATION_SLOT "a" LOGICAL pgoutput (SNAPSHOT 'export', FAILOVER))");
    EXPECT_EQ(create_slot_command("a", SlotLife::lasting, false, 180'001),
              R"(CREATE_REPLICATION_SLOT "a" LOGICAL pgoutput (SNAPSHOT 'nothing', FAILOVER))");
    EXPECT_EQ(create_slot_command("a", SlotLife::temporary, true, 170'000),
              R"(CREATE_REPLICATION_SLOT "a" TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT)");
    EXPECT_EQ(create_slot_command("a", SlotLife::lasting, true, 160'009),
              R"(CREATE_REPLICATION_SLOT "a" LOGICAL pgoutput EXPORT_SNAPSHOT)");
    EXPECT_EQ(create_slot_command("a", SlotLife::lasting, false, 150'018),
              R"(CREATE_REPLICATION_SLOT "a" LOGICAL pgoutput NOEXPORT_SNAPSHOT)");
}

}  // namespace postgres
