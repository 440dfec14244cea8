#include "azora/events/log.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "support/allocations.hpp"

namespace azora::events {
namespace {

Event make(EventType type, const char* id = "a") {
  Event event;
  event.type = type;
  event.service_id = std::make_shared<const std::string>(id);
  return event;
}

std::uint64_t append(EventLog& log, EventType type, const char* id = "a") {
  const ThreadRole::Scope role(control_thread);
  return log.append(make(type, id));
}

std::uint64_t append_check(EventLog& log, std::uint64_t serial = 1) {
  const ThreadRole::Scope role(control_thread);
  return log.append_check({.serial = serial, .status = HealthStatus::healthy});
}

void add_name(EventLog& log, std::uint64_t serial, const char* id) {
  const ThreadRole::Scope role(control_thread);
  log.add_name(serial, std::make_shared<const std::string>(id));
}

void publish(EventLog& log) {
  const ThreadRole::Scope role(control_thread);
  log.publish_turn();
}

// A log whose service 1 is "a" and service 2 "b".
std::shared_ptr<EventLog> make_log(Limits limits = {}) {
  auto log = std::make_shared<EventLog>(limits);
  add_name(*log, 1, "a");
  add_name(*log, 2, "b");
  return log;
}

void fill(EventLog& log, EventType type, int count, const char* id = "a") {
  for (int i = 0; i < count; ++i) append(log, type, id);
  publish(log);
}

void fill_checks(EventLog& log, int count, std::uint64_t serial = 1) {
  for (int i = 0; i < count; ++i) append_check(log, serial);
  publish(log);
}

// A state event, a check, a state event, ...
void fill_both(EventLog& log, int count) {
  for (int i = 0; i < count; ++i) i % 2 ? append_check(log) : append(log, EventType::service_started);
  publish(log);
}

std::vector<std::uint64_t> numbers(const std::vector<EventPtr>& events) {
  std::vector<std::uint64_t> out;
  for (const EventPtr& event : events) out.push_back(event->seq);
  return out;
}

TEST(EventLog, NumbersStartAtOneWithoutGaps) {
  auto log = make_log();
  EXPECT_EQ(append(*log, EventType::service_started), 1U);
  EXPECT_EQ(append_check(*log), 2U);
  EXPECT_EQ(log->head(), 2U);
}

TEST(EventLog, ATurnBecomesVisibleAsAWhole) {
  auto log = make_log();
  auto cursor = log->cursor(0, {});
  append(*log, EventType::service_exited);
  EXPECT_TRUE(cursor->drain(10).empty());
  append(*log, EventType::service_unhealthy);
  publish(*log);
  EXPECT_EQ(numbers(cursor->drain(10)), (std::vector<std::uint64_t>{1, 2}));
}

TEST(Cursor, MergesChecksAndStateEventsInOrder) {
  auto log = make_log();
  fill_both(*log, 6);
  auto cursor = log->cursor(2, {});
  EXPECT_EQ(numbers(cursor->drain(3)), (std::vector<std::uint64_t>{3, 4, 5}));
  EXPECT_TRUE(cursor->wait(Millis(0)));
  EXPECT_EQ(numbers(cursor->drain(3)), (std::vector<std::uint64_t>{6}));
  EXPECT_FALSE(cursor->wait(Millis(0)));
}

TEST(Cursor, WithoutSinceSeesOnlyWhatComes) {
  auto log = make_log();
  fill(*log, EventType::service_started, 3);
  auto cursor = log->cursor(std::nullopt, {});
  EXPECT_TRUE(cursor->drain(10).empty());
  fill(*log, EventType::service_stopped, 1);
  EXPECT_EQ(numbers(cursor->drain(10)), (std::vector<std::uint64_t>{4}));
}

TEST(Cursor, FiltersByTypeAndService) {
  auto log = make_log();
  fill(*log, EventType::service_started, 1, "a");
  fill(*log, EventType::service_started, 1, "b");
  fill(*log, EventType::service_exited, 1, "b");
  Filter filter;
  filter.only(EventType::service_started);
  filter.service = "b";
  EXPECT_EQ(numbers(log->cursor(0, filter)->drain(10)), (std::vector<std::uint64_t>{2}));
}

TEST(Cursor, TheNameOfAnEntryMeansAllItsInstances) {
  auto log = std::make_shared<EventLog>();
  std::uint64_t serial = 0;
  for (const char* id : {"w@0", "w", "w@12", "w2", "w2@0"}) {
    add_name(*log, ++serial, id);
    fill(*log, EventType::service_started, 1, id);
    fill_checks(*log, 1, serial);
  }
  Filter filter;
  filter.service = "w";
  EXPECT_EQ(numbers(log->cursor(0, filter)->drain(20)), (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6}));
  filter.service = "w@12";
  EXPECT_EQ(numbers(log->cursor(0, filter)->drain(20)), (std::vector<std::uint64_t>{5, 6}));
}

TEST(Cursor, ChecksNeverEvictStateEvents) {
  auto log = make_log(Limits{.state_events = 8, .health_checks = 4});
  fill(*log, EventType::service_exited, 2);
  fill_checks(*log, 100);
  Filter filter;
  filter.only(EventType::service_exited);
  EXPECT_EQ(numbers(log->cursor(0, filter)->drain(100)), (std::vector<std::uint64_t>{1, 2}));
}

TEST(Cursor, ToldWhatItLostAndHowMuch) {
  auto log = make_log(Limits{.state_events = 4, .health_checks = 4});
  auto cursor = log->cursor(0, {});
  fill(*log, EventType::service_exited, 10);
  const std::vector<EventPtr> events = cursor->drain(100);
  ASSERT_EQ(events.size(), 5U);
  EXPECT_EQ(events[0]->type, EventType::gap);
  EXPECT_EQ(events[0]->detail->gap_from, 1U);
  EXPECT_EQ(events[0]->detail->gap_to, 6U);
  EXPECT_EQ(events[0]->detail->gap_count, 6U);
  EXPECT_EQ(events[1]->seq, 7U);
}

TEST(Cursor, AGapComesBeforeTheEventsWithinItAndHasThePlaceOfItsReader) {
  auto log = make_log({.state_events = 100, .health_checks = 2});
  fill_both(*log, 10);  // state 1 3 5 7 9 kept; checks 2 4 6 lost, 8 10 kept
  auto cursor = log->cursor(1, {});
  const std::vector<EventPtr> events = cursor->drain(100);
  EXPECT_EQ(numbers(events), (std::vector<std::uint64_t>{1, 3, 5, 7, 8, 9, 10}));
  EXPECT_EQ(events[0]->type, EventType::gap);
  EXPECT_EQ(events[0]->detail->gap_from, 2U);
  EXPECT_EQ(events[0]->detail->gap_to, 6U);
  EXPECT_EQ(events[0]->detail->gap_count, 3U);
  EXPECT_GT(events[0]->time.ms, 0);
}

TEST(Cursor, AReaderThatBeginsAgainAtAGapLosesNothing) {
  auto log = make_log({.state_events = 100, .health_checks = 2});
  fill_both(*log, 10);
  const std::vector<EventPtr> first = log->cursor(1, {})->drain(1);
  ASSERT_EQ(first.size(), 1U);
  ASSERT_EQ(first[0]->type, EventType::gap);
  EXPECT_EQ(numbers(log->cursor(first[0]->seq, {})->drain(100)),
            (std::vector<std::uint64_t>{1, 3, 5, 7, 8, 9, 10}));
}

TEST(Cursor, ACheckBecomesAnEventWithAllThatWasReported) {
  auto log = make_log();
  {
    const ThreadRole::Scope role(control_thread);
    log->append_check({.serial = 2,
                       .incarnation = 3,
                       .time = WallTime{1'700'000'000'123},
                       .response_ms = 17,
                       .status = HealthStatus::unhealthy,
                       .reason = "connection refused"});
    log->publish_turn();
  }
  const std::vector<EventPtr> events = log->cursor(0, {})->drain(10);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(event_json(*events[0]),
            R"({"seq":1,"time":"2023-11-14T22:13:20.123Z","type":"healthCheck","serviceId":"b","incarnation":3,)"
            R"("cause":"probe","actor":"orchestrator","status":"unhealthy","responseTime":17,)"
            R"("reason":"connection refused"})");
}

TEST(Cursor, FiltersChecksByService) {
  auto log = make_log();
  fill_checks(*log, 1, 1);
  fill_checks(*log, 2, 2);
  fill(*log, EventType::service_started, 1, "b");
  Filter filter;
  filter.service = "b";
  EXPECT_EQ(numbers(log->cursor(0, filter)->drain(10)), (std::vector<std::uint64_t>{2, 3, 4}));
  filter.types = 0;
  filter.only(EventType::health_check);
  EXPECT_EQ(numbers(log->cursor(0, filter)->drain(10)), (std::vector<std::uint64_t>{2, 3}));
}

TEST(Cursor, ChecksKeepTheIdOfAServiceThatIsGone) {
  auto log = make_log();
  fill_checks(*log, 1);
  {
    const ThreadRole::Scope role(control_thread);
    log->drop_name(1);
  }
  fill(*log, EventType::service_unregistered, 1);
  const std::vector<EventPtr> events = log->cursor(0, {})->drain(10);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(*events[0]->service_id, "a");
}

TEST(EventLog, ChecksThatPassTakeNoMemoryInTheLongRun) {
  auto log = make_log({.state_events = 8, .health_checks = 256});
  auto cursor = log->cursor(std::nullopt, {});
  const ThreadRole::Scope role(control_thread);
  const auto check = [&](int count) AZORA_CONTROL {
    for (int i = 0; i < count; ++i) {
      log->append_check({.serial = 1, .incarnation = 1, .response_ms = i, .status = HealthStatus::healthy});
      if (i % 7 == 0) log->publish_turn();
    }
  };
  check(1'000);
  EXPECT_EQ(allocations_of([&] {
    control_thread.assert_held();
    check(10'000);
  }), 0U);
  EXPECT_GE(cursor->drain(1'000).size(), 256U);
}

TEST(Cursor, APlaceInTheFutureIsToldAsReset) {
  auto log = make_log();
  fill(*log, EventType::service_started, 2);
  const std::vector<EventPtr> events = log->cursor(5000, {})->drain(10);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0]->type, EventType::gap);
  EXPECT_EQ(events[0]->detail->reason, "reset");
  EXPECT_EQ(events[0]->cause, "reset");
  EXPECT_GT(events[0]->time.ms, 0);
}

TEST(Cursor, CloseWakesWhoeverWaits) {
  auto log = make_log();
  auto cursor = log->cursor(std::nullopt, {});
  cursor->drain(1);
  std::thread closer([&] { cursor->close(); });
  EXPECT_TRUE(cursor->wait(Millis(10'000)));
  closer.join();
  EXPECT_TRUE(cursor->closed());
}

TEST(Cursor, AReaderOnAnotherThreadMissesNothing) {
  auto log = make_log();
  auto cursor = log->cursor(0, {});
  constexpr std::uint64_t kEvents = 20'000;
  std::uint64_t seen = 0;
  bool in_order = true;
  std::thread reader([&] {
    while (seen < kEvents && cursor->wait(Millis(10'000))) {
      for (const EventPtr& event : cursor->drain(256)) {
        in_order = in_order && event->seq == seen + 1;
        seen = event->seq;
      }
    }
  });
  for (std::uint64_t i = 0; i < kEvents; ++i) {
    append(*log, EventType::service_started);
    publish(*log);
  }
  reader.join();
  EXPECT_TRUE(in_order);
  EXPECT_EQ(seen, kEvents);
}

// The writer leaves its turn to whoever holds the log: that one and all others hear of it nevertheless, also when it is
// the last for a while.
TEST(Cursor, ReadersThatMeetTheWriterMissNothingAndNoneSleepsOn) {
  auto log = make_log(Limits{.state_events = 100'000, .health_checks = 10});
  constexpr std::uint64_t kReaders = 4;
  constexpr std::uint64_t kRounds = 2'000;
  constexpr std::uint64_t kTurns = 5;  // of a round, one event each
  std::atomic<std::uint64_t> arrived{0};
  std::atomic<bool> failed{false};
  std::vector<std::thread> readers;
  for (std::uint64_t i = 0; i < kReaders; ++i) {
    readers.emplace_back([&, cursor = log->cursor(0, {})] {
      std::uint64_t seen = 0;
      while (seen < kRounds * kTurns) {
        if (!cursor->wait(Millis(20'000))) failed = true;
        if (failed) return;
        for (const EventPtr& event : cursor->drain(3)) {
          if (event->seq != seen + 1) failed = true;
          seen = event->seq;
          if (seen % kTurns == 0) ++arrived;
        }
      }
    });
  }
  for (std::uint64_t round = 1; round <= kRounds && !failed; ++round) {
    for (std::uint64_t turn = 0; turn < kTurns; ++turn) {
      append(*log, EventType::service_started);
      publish(*log);
    }
    while (arrived < round * kReaders && !failed) std::this_thread::yield();
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_FALSE(failed);
}

}  // namespace
}  // namespace azora::events
