// What became of the tickets of the store.
#include "azora/orchestrator/tickets.hpp"

#include <gtest/gtest.h>

#include "azora/orchestrator/held_starts.hpp"

namespace azora::orchestrator {
namespace {

constexpr SteadyTime at(int seconds) { return SteadyTime{} + std::chrono::seconds(seconds); }

class TicketsTest : public testing::Test {
 protected:
  const ThreadRole::Scope role{control_thread};
  Tickets tickets;
};

TEST_F(TicketsTest, AreUnderWayUntilTheLastOneIsAnswered) {
  EXPECT_FALSE(tickets.under_way());
  const store::Ticket first = tickets.give(at(1));
  const store::Ticket second = tickets.give(at(2));
  EXPECT_LT(first, second);
  EXPECT_EQ(tickets.last_given(), second);
  EXPECT_EQ(tickets.oldest_since(), at(1));
  tickets.committed(first);
  EXPECT_TRUE(tickets.under_way());
  EXPECT_EQ(tickets.oldest_since(), at(2));
  tickets.committed(second);
  EXPECT_FALSE(tickets.under_way());
}

TEST_F(TicketsTest, AFailedOneIsToldAndNotCommitted) {
  const store::Ticket first = tickets.give(at(1));
  const store::Ticket second = tickets.give(at(1));
  tickets.committed(first);
  tickets.failed(second);
  EXPECT_TRUE(tickets.is_committed(first));
  EXPECT_TRUE(tickets.is_told(second));
  EXPECT_FALSE(tickets.is_committed(second));
  EXPECT_FALSE(tickets.last_was_committed());
  tickets.committed(tickets.give(at(3)));
  EXPECT_TRUE(tickets.last_was_committed());
}

TEST(HeldStarts, AreSinceTheFirstTimeUntilTheyAreMade) {
  HeldStarts held;
  EXPECT_FALSE(held.since(1));
  held.add(1, at(1));
  held.add(1, at(2));
  EXPECT_EQ(held.since(1), at(1));
  held.remove(1);
  EXPECT_FALSE(held.since(1));
}

}  // namespace
}  // namespace azora::orchestrator
