#include "azora/keeper/program/fleet_records.hpp"

#include <gtest/gtest.h>

namespace azora::keeper {
namespace {

TEST(FleetRecords, ARecordThatChangesAgainIsUnsentOnce) {
  FleetRecords records;
  ASSERT_TRUE(records.ok());
  ShimEntry& entry = *records.table().add(7);
  EXPECT_FALSE(records.has_unsent());
  records.changed(entry);
  records.changed(entry);
  EXPECT_TRUE(records.has_unsent());
  records.sent(entry);
  EXPECT_FALSE(records.has_unsent());
  records.sent(entry);
  records.changed(entry);
  EXPECT_TRUE(records.has_unsent());
}

TEST(FleetRecords, NothingIsUnsentOfAServiceThatIsRemoved) {
  FleetRecords records;
  records.table().add(1);
  records.table().add(2);
  records.all_changed();
  records.remove(*records.table().find(1));
  EXPECT_TRUE(records.has_unsent());
  records.remove(*records.table().find(2));
  EXPECT_FALSE(records.has_unsent());
  EXPECT_EQ(records.table().count(), 0);
}

TEST(FleetRecords, SomeAreLostWhileTheyAreSwept) {
  FleetRecords records;
  ShimEntry& entry = *records.table().add(1);
  EXPECT_FALSE(records.has_lost());
  entry.sweeping = true;
  EXPECT_TRUE(records.has_lost());
}

}  // namespace
}  // namespace azora::keeper
