// A log that goes on where a former one ended: its readers get what is left of that one, and are told what is not.
#include <gtest/gtest.h>

#include "azora/events/log.hpp"

namespace azora::events {
namespace {

constexpr std::uint64_t kFirst = 1'000'001;

EventPtr former(std::uint64_t seq) {
  Event event;
  event.seq = seq;
  event.type = EventType::service_started;
  event.service_id = std::make_shared<const std::string>("a");
  return std::make_shared<const Event>(std::move(event));
}

class FormerLog : public testing::Test {
 protected:
  // State events 12, 15 and 18 of a log whose last number was 20, and one of the new log.
  std::shared_ptr<EventLog> make(bool clean, std::uint64_t lost_through = 10) {
    auto log = std::make_shared<EventLog>(
        Limits{.state_events = 8, .health_checks = 4}, kFirst,
        Former{.events = {former(12), former(15), former(18)}, .lost_through = lost_through, .head = 20, .clean = clean});
    const ThreadRole::Scope role(control_thread);
    Event event;
    event.type = EventType::service_exited;
    log->append(std::move(event));
    log->publish_turn();
    return log;
  }
  static Filter states() {
    Filter filter;
    filter.types = ~(std::uint32_t{1} << static_cast<unsigned>(EventType::health_check));
    return filter;
  }
  static std::vector<std::uint64_t> seqs(const std::vector<EventPtr>& events) {
    std::vector<std::uint64_t> found;
    for (const EventPtr& event : events) found.push_back(event->seq);
    return found;
  }
};

TEST_F(FormerLog, ItsStateEventsComeWithoutAGapAfterAnOrderlyEnd) {
  const auto log = make(true);
  EXPECT_EQ(seqs(log->cursor(10, states())->drain(9)), (std::vector<std::uint64_t>{12, 15, 18, kFirst}));
  EXPECT_EQ(seqs(log->cursor(16, states())->drain(9)), (std::vector<std::uint64_t>{18, kFirst}));
  EXPECT_EQ(seqs(log->cursor(20, states())->drain(9)), (std::vector<std::uint64_t>{kFirst}));
}

TEST_F(FormerLog, WhatIsNotKeptIsAGap) {
  const std::vector<EventPtr> events = make(true)->cursor(3, states())->drain(9);
  ASSERT_EQ(seqs(events), (std::vector<std::uint64_t>{3, 12, 15, 18, kFirst}));
  EXPECT_EQ(events[0]->type, EventType::gap);
  EXPECT_EQ(events[0]->detail->gap_from, 4U);
  EXPECT_EQ(events[0]->detail->gap_to, 10U);
  EXPECT_EQ(events[0]->detail->gap_count, 7U);
}

TEST_F(FormerLog, ItsChecksAreLost) {
  const std::vector<EventPtr> events = make(true)->cursor(13, {})->drain(9);
  ASSERT_EQ(seqs(events), (std::vector<std::uint64_t>{13, 15, 18, kFirst}));
  EXPECT_EQ(events[0]->type, EventType::gap);
  EXPECT_EQ(events[0]->detail->gap_to, 20U);
  EXPECT_EQ(events[0]->detail->gap_count, 5U) << "14, 16, 17, 19 and 20";
}

// What came in the last moment before a kill may be lost; numbers that were only reserved are not counted.
TEST_F(FormerLog, AnEndWithoutOrderIsAGapForEveryReader) {
  for (const std::uint64_t since : {13U, 20U, 25U}) {
    const std::vector<EventPtr> events = make(false)->cursor(since, states())->drain(9);
    ASSERT_GE(events.size(), 2U);
    EXPECT_EQ(events[0]->type, EventType::gap) << since;
    EXPECT_EQ(events[0]->detail->gap_from, since + 1);
    EXPECT_EQ(events[0]->detail->gap_to, kFirst - 1);
    EXPECT_EQ(events[0]->detail->gap_count, since == 13 ? 5U : 1U);
    EXPECT_EQ(events.back()->seq, kFirst);
  }
  EXPECT_EQ(seqs(make(false)->cursor(kFirst - 1, states())->drain(9)), (std::vector<std::uint64_t>{kFirst}));
}

TEST_F(FormerLog, ThereIsNoneBeforeTheFirstOne) {
  const auto log = std::make_shared<EventLog>(Limits{}, 1, Former{.events = {}, .lost_through = 0, .head = 0, .clean = false});
  EXPECT_TRUE(log->cursor(0, {})->drain(9).empty());
}

}  // namespace
}  // namespace azora::events
