#include "azora/events/check_memory.hpp"

#include <gtest/gtest.h>

namespace azora::events {
namespace {

CheckRecord record(std::uint64_t seq, std::uint64_t serial = 1) {
  return CheckRecord(seq, Check{.serial = serial, .status = HealthStatus::unhealthy});
}

CheckMemory::Name name(const char* id) { return std::make_shared<const std::string>(id); }

TEST(CheckRecord, GivesBackWhatWasReported) {
  const CheckRecord kept(77, {.serial = (std::uint64_t{5} << 32) + 6,
                              .incarnation = 8,
                              .time = WallTime{1'700'000'000'123},
                              .response_ms = 2'147'483'647,
                              .status = HealthStatus::degraded,
                              .reason = ""});
  EXPECT_EQ(kept.seq(), 77U);
  EXPECT_EQ(kept.serial(), (std::uint64_t{5} << 32) + 6);
  EXPECT_EQ(kept.incarnation(), 8U);
  EXPECT_EQ(kept.time().ms, 1'700'000'000'123);
  EXPECT_EQ(kept.response_ms(), 2'147'483'647);
  EXPECT_EQ(kept.status(), HealthStatus::degraded);
  EXPECT_EQ(kept.reason(), 0U);
}

TEST(CheckMemory, KeepsTheLastOnesInOrder) {
  CheckMemory memory(3);
  EXPECT_EQ(memory.size(), 0U);
  EXPECT_EQ(memory.first_after(0), 0U);
  for (std::uint64_t seq = 10; seq <= 50; seq += 10) memory.keep(record(seq), "");
  ASSERT_EQ(memory.size(), 3U);
  EXPECT_EQ(memory[0].seq(), 30U);
  EXPECT_EQ(memory[2].seq(), 50U);
  EXPECT_EQ(memory.evicted_through(), 20U);
  EXPECT_EQ(memory.evicted(), 2U);
  EXPECT_EQ(memory.first_after(29), 0U);
  EXPECT_EQ(memory.first_after(30), 1U);
  EXPECT_EQ(memory.first_after(50), 3U);
}

TEST(CheckMemory, ANameStaysAsLongAsACheckRefersToIt) {
  CheckMemory memory(2);
  memory.add_name(1, name("a"));
  memory.add_name(2, name("b"));
  const CheckRecord first = record(1, 1);
  memory.keep(first, "");
  memory.keep(record(2, 2), "");
  memory.drop_name(1, 2);
  EXPECT_EQ(*memory.name_of(first), "a");
  EXPECT_TRUE(memory.is_of(first, "a"));
  memory.keep(record(3, 2), "");
  EXPECT_EQ(memory.names(), 2U);  // number 2 was given before the name was dropped
  memory.keep(record(4, 2), "");
  EXPECT_EQ(memory.names(), 1U);
  EXPECT_EQ(memory.name_of(first), nullptr);
  EXPECT_FALSE(memory.is_of(first, "a"));
}

TEST(CheckMemory, ANameWithoutChecksGoesAtOnce) {
  CheckMemory memory(2);
  memory.add_name(1, name("a"));
  memory.drop_name(1, 0);
  EXPECT_EQ(memory.names(), 0U);
}

TEST(CheckMemory, EqualReasonsAreKeptOnceAndGoWithTheirLastCheck) {
  CheckMemory memory(3);
  memory.keep(record(1), "refused");
  memory.keep(record(2), "refused");
  memory.keep(record(3), "HTTP 503");
  EXPECT_EQ(memory.reasons(), 2U);
  EXPECT_EQ(*memory.reason_of(memory[1]), "refused");
  EXPECT_EQ(*memory.reason_of(memory[2]), "HTTP 503");
  memory.keep(record(4), "");
  EXPECT_EQ(memory.reasons(), 2U);
  EXPECT_EQ(memory.reason_of(memory[2]), nullptr);
  memory.keep(record(5), "");
  EXPECT_EQ(memory.reasons(), 1U);
  memory.keep(record(6), "timed out");  // takes the place of "refused" when it is gone
  EXPECT_EQ(*memory.reason_of(memory[2]), "timed out");
}

TEST(CheckMemory, EveryReasonMayDiffer) {
  CheckMemory memory(100'000);  // more than there are places for reasons: fewer are kept
  for (std::uint64_t seq = 1; seq <= 140'000; ++seq) memory.keep(record(seq), std::to_string(seq));
  ASSERT_EQ(memory.size(), 65'535U);
  EXPECT_EQ(memory.reasons(), 65'535U);
  EXPECT_EQ(*memory.reason_of(memory[0]), "74466");
  EXPECT_EQ(*memory.reason_of(memory[65'534]), "140000");
}

}  // namespace
}  // namespace azora::events
