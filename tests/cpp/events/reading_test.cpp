#include "azora/events/reading.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace azora::events {
namespace {

// Both memories, and which numbers they still have.
struct Memories {
  StateMemory state;
  CheckMemory checks;
  std::uint64_t head = 0;

  Memories(std::size_t state_limit, std::size_t check_limit) : state(state_limit), checks(check_limit) {
    checks.add_name(1, std::make_shared<const std::string>("a"));
  }
  void add(bool check) {
    if (check) {
      checks.keep(CheckRecord(++head, Check{.serial = 1, .status = HealthStatus::healthy}), "");
      return;
    }
    Event event;
    event.seq = ++head;
    event.type = EventType::service_started;
    state.keep(std::make_shared<const Event>(std::move(event)));
  }
};

// A reader that is slower or faster than the writer, by chance: each number is either delivered, in order, or counted by
// exactly one gap that comes before any later number.
TEST(Reading, EveryNumberIsDeliveredOrCountedOnceByAGapBeforeIt) {
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto upto = [&](std::uint32_t limit) { return random() % limit; };
    Memories memories(1 + upto(12), 1 + upto(12));
    Reading reading(0, {});
    std::uint64_t place = 0;
    std::uint64_t delivered = 0;
    std::uint64_t counted = 0;
    std::uint64_t told_through = 0;
    for (int round = 0; round < 60; ++round) {
      const bool last = round == 59;
      for (auto i = upto(20); i > 0; --i) memories.add(upto(2) == 0);
      bool more = true;
      do {
        Found found;
        more = reading.look(memories.state, memories.checks, 1 + upto(5), found);
        for (const EventPtr& event : found.take(WallTime{1})) {
          if (event->type == EventType::gap) {
            EXPECT_EQ(event->seq, place);
            EXPECT_EQ(event->detail->gap_from, place + 1);
            EXPECT_GE(event->detail->gap_to, told_through);
            EXPECT_GE(event->detail->gap_count, 1U);
            told_through = event->detail->gap_to;
            counted += event->detail->gap_count;
            continue;
          }
          ASSERT_GT(event->seq, place);
          if (event->seq != place + 1) {
            EXPECT_LE(event->seq - 1, told_through);  // what it jumps over was told before
          }
          place = event->seq;
          ++delivered;
        }
      } while (more && (last || upto(3) != 0));
    }
    EXPECT_EQ(place, memories.head);
    EXPECT_EQ(delivered + counted, memories.head);
  }
}

TEST(Reading, LooksAtABoundedNumberOfEvents) {
  Memories memories(10'000, 1);
  for (int i = 0; i < 3'000; ++i) memories.add(false);
  Filter filter;
  filter.service = "of no event";
  Reading reading(0, filter);
  Found found;
  EXPECT_TRUE(reading.look(memories.state, memories.checks, 10, found));
  EXPECT_TRUE(reading.look(memories.state, memories.checks, 10, found));
  EXPECT_FALSE(reading.look(memories.state, memories.checks, 10, found));
  EXPECT_TRUE(found.take({}).empty());
}

}  // namespace
}  // namespace azora::events
