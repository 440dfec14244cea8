// Events read back from their JSON: what a durable history relies on.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "azora/healing/machine.hpp"
#include "azora/model/event.hpp"
#include "azora/orchestrator/self.hpp"

namespace azora {
namespace {

class RandomEvents {
 public:
  explicit RandomEvents(std::uint32_t seed) : random_(seed) {}

  Event next(EventType type) {
    Event event;
    event.seq = number(1, INT64_MAX);
    event.time = WallTime{static_cast<std::int64_t>(number(0, 250'000'000'000'000))};
    event.type = type;
    if (chance()) event.service_id = std::make_shared<const std::string>(string());
    event.incarnation = number(0, INT64_MAX);
    event.cause = word<EventCause, EventCauses>();
    event.actor = word<EventActor, EventActors>();
    if (type == EventType::health_check) {
      event.check_status = static_cast<HealthStatus>(number(0, 3));
      event.response_ms = static_cast<std::int32_t>(number(0, INT32_MAX));
    }
    if (type == EventType::gap || chance()) event.detail = detail(type);
    return event;
  }

 private:
  std::uint64_t number(std::uint64_t from, std::uint64_t to) {
    return std::uniform_int_distribution<std::uint64_t>(from, to)(random_);
  }
  bool chance() { return number(0, 1) == 1; }
  int integer() { return static_cast<int>(number(0, UINT32_MAX)); }
  std::string string() {
    static const std::vector<std::string> kParts = {"a", "orders", "\"", "\\", "\n", "\x01", "ä", "€", "𝄞", " ", "/", "{}"};
    std::string out;
    for (std::uint64_t i = number(1, 6); i > 0; --i) out += kParts[number(0, kParts.size() - 1)];
    return out;
  }
  template <typename Word, typename Words>
  Word word() {
    return *Word::from_wire(Words::kWords[number(0, Words::kWords.size() - 1)]);
  }
  std::unique_ptr<const EventDetail> detail(EventType type) {
    auto detail = std::make_unique<EventDetail>();
    if (chance()) detail->attempt = integer();
    if (chance()) detail->max_restarts = integer();
    if (chance()) detail->downtime_ms = static_cast<std::int64_t>(number(0, INT64_MAX));
    if (chance()) detail->pid = integer();
    detail->has_exit = chance();
    if (detail->has_exit) {
      if (chance()) detail->code = integer();
      if (chance()) detail->signal = static_cast<int>(number(1, 64));
      if (chance()) detail->oom = chance();
    }
    for (std::uint64_t i = number(0, 3); i > 0; --i) detail->blocked_by.push_back(string());
    detail->has_gap = type == EventType::gap;
    if (detail->has_gap) {
      detail->gap_from = number(0, INT64_MAX);
      detail->gap_to = number(0, INT64_MAX);
      detail->gap_count = number(0, INT64_MAX);
    }
    if (chance()) detail->reason = string();
    return detail;
  }

  std::mt19937 random_;
};

void expect_equal(const EventDetail& a, const EventDetail& b) {
  EXPECT_EQ(a.attempt, b.attempt);
  EXPECT_EQ(a.max_restarts, b.max_restarts);
  EXPECT_EQ(a.downtime_ms, b.downtime_ms);
  EXPECT_EQ(a.pid, b.pid);
  EXPECT_EQ(a.has_exit, b.has_exit);
  EXPECT_EQ(a.code, b.code);
  EXPECT_EQ(a.signal, b.signal);
  EXPECT_EQ(a.oom, b.oom);
  EXPECT_EQ(a.blocked_by, b.blocked_by);
  EXPECT_EQ(a.has_gap, b.has_gap);
  EXPECT_EQ(a.gap_from, b.gap_from);
  EXPECT_EQ(a.gap_to, b.gap_to);
  EXPECT_EQ(a.gap_count, b.gap_count);
  EXPECT_EQ(a.reason, b.reason);
}

void expect_equal(const Event& a, const Event& b) {
  EXPECT_EQ(a.seq, b.seq);
  EXPECT_EQ(a.time, b.time);
  EXPECT_EQ(a.type, b.type);
  EXPECT_EQ(a.check_status, b.check_status);
  EXPECT_EQ(a.response_ms, b.response_ms);
  ASSERT_EQ(a.service_id == nullptr, b.service_id == nullptr);
  if (a.service_id) {
    EXPECT_EQ(*a.service_id, *b.service_id);
  }
  EXPECT_EQ(a.incarnation, b.incarnation);
  EXPECT_EQ(a.cause, b.cause);
  EXPECT_EQ(a.actor, b.actor);
  // A detail that says nothing is written as none.
  static const EventDetail kNothing;
  expect_equal(a.detail ? *a.detail : kNothing, b.detail ? *b.detail : kNothing);
}

TEST(EventFromJson, GivesBackEveryTypeOfEventAsItWasWritten) {
  for (std::uint32_t seed = 0; seed < 100; ++seed) {
    RandomEvents events(seed);
    for (int i = 0; i < kEventTypeCount; ++i) {
      const Event written = events.next(static_cast<EventType>(i));
      const std::string json = event_json(written);
      SCOPED_TRACE(json);
      const Result<Event> read = event_from_json(json);
      ASSERT_TRUE(read.ok()) << read.error().message;
      expect_equal(written, read.value());
      EXPECT_EQ(event_json(read.value()), json);
    }
  }
}

TEST(EventFromJson, IgnoresKeysOfOthers) {
  const Result<Event> read = event_from_json(
      R"({"seq":1,"time":"2024-02-29T12:34:56.789Z","type":"serviceStopped","incarnation":1,"new":{"deep":[1]}})");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read.value().type, EventType::service_stopped);
  EXPECT_EQ(read.value().service_id, nullptr);
}

TEST(EventFromJson, NamesTheKeyThatIsWrong) {
  const std::string good =
      R"({"seq":1,"time":"2024-02-29T12:34:56.789Z","type":"healthCheck","serviceId":"a","incarnation":1,)"
      R"("cause":"probe","actor":"orchestrator","status":"healthy","responseTime":7})";
  ASSERT_TRUE(event_from_json(good).ok());
  const auto fault_of = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    const Result<Event> read = event_from_json(text);
    return read.ok() ? "" : read.error().message;
  };
  EXPECT_EQ(fault_of("\"seq\":1,", ""), "event: seq is missing");
  EXPECT_EQ(fault_of("\"seq\":1", "\"seq\":-1"), "event: seq is not an integer of its range");
  EXPECT_EQ(fault_of("2024", "20"), "event: time is not a time");
  EXPECT_EQ(fault_of("healthCheck", "health"), "event: type is not an event");
  EXPECT_EQ(fault_of("\"a\"", "5"), "event: serviceId is not a string");
  EXPECT_EQ(fault_of("probe", "weather"), "event: cause is not a known word");
  EXPECT_EQ(fault_of("orchestrator", "ghost"), "event: actor is not a known word");
  EXPECT_EQ(fault_of("healthy", "well"), "event: status is not a status");
  EXPECT_EQ(fault_of(":7", ":7.5"), "event: responseTime is not an integer of its range");
  EXPECT_EQ(fault_of(":7", ":3000000000"), "event: responseTime is not an integer of its range");
  EXPECT_EQ(fault_of(":7", ":7,\"signal\":\"NOPE\""), "event: signal is not a signal");
  EXPECT_EQ(fault_of(":7", ":7,\"oom\":1"), "event: oom is not true or false");
  EXPECT_EQ(fault_of(":7", ":7,\"blockedBy\":\"b\""), "event: blockedBy is not a list");
}

TEST(EventWord, EveryRowReadsItselfBackAndStandsOnce) {
  std::set<std::string_view> words;
  for (const std::string_view word : EventCauses::kWords) {
    EXPECT_TRUE(words.insert(word).second) << word;
    EXPECT_EQ(EventCause::from_wire(word)->wire_name(), word);
  }
  EXPECT_EQ(EventCause::from_wire("weather"), std::nullopt);
  EXPECT_TRUE(EventCause().empty());
  EXPECT_EQ(EventCause("crash"), "crash");
  EXPECT_NE(EventCause("crash"), EventCause("clean"));
}

// Why a machine acted is why an event of it happened.
TEST(EventWord, EveryCauseOfAMachineIsACauseOfAnEvent) {
  for (int i = 0; i <= static_cast<int>(healing::Cause::evidence); ++i) {
    const auto cause = static_cast<healing::Cause>(i);
    EXPECT_TRUE(EventCause::from_wire(wire_name(cause))) << wire_name(cause);
  }
}

TEST(EventWord, EveryPartOfTheOrchestratorIsACauseOfAnEvent) {
  for (std::size_t i = 0; i < orchestrator::kPartCount; ++i) {
    const auto part = static_cast<orchestrator::Part>(i);
    EXPECT_TRUE(EventCause::from_wire(wire_name(part))) << wire_name(part);
  }
}

}  // namespace
}  // namespace azora
