// What is durable of a service comes back as it was: random machines, services and entries through records, bytes and back.
#include "azora/orchestrator/durable.hpp"

#include <gtest/gtest.h>

#include <random>
#include <tuple>

#include "azora/model/spec_parser.hpp"

namespace azora::orchestrator {
namespace {

constexpr SteadyTime kUptime{std::chrono::hours(300)};
constexpr Now kNow{kUptime, {1'700'000'000'000}};

Now later(Millis span) { return {kNow.steady + span, {kNow.wall.ms + span.count()}}; }

// All fields of a machine. One that is added does not compile until it is named here, and fails the tests below until
// durable.cpp stores it.
auto fields_of(auto& machine) {
  auto& [lifecycle, desired, incarnation, restart_count, deps_ok, ever_started, restart_asked, action_running,
         well_before, told, holds, budget, episode, timers] = machine;
  auto& [failed, unavailable, blocked] = told;
  auto& [admission_request, slot, permit_request, permit] = holds;
  auto& [attempts, last_delay, flapping, recent] = budget;
  auto& [cause, start_cause, failing, half_open, evidence_pending, down_since, failed_at, earliest, last_evidence] = episode;
  auto& [deadline, next_attempt, clock, started, stable_since] = timers;
  return std::tie(lifecycle, desired, incarnation, restart_count, deps_ok, ever_started, restart_asked,
                  action_running, well_before, failed, unavailable, blocked, admission_request, slot, permit_request,
                  permit, attempts, last_delay, flapping, recent, cause, start_cause, failing, half_open,
                  evidence_pending, down_since, failed_at, earliest, last_evidence, deadline, next_attempt, clock,
                  started, stable_since);
}

class Randomly {
 public:
  explicit Randomly(std::uint64_t seed) : random_(seed) {}

  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  void fill(bool& field) { field = below(2) == 1; }
  void fill(int& field) { field = static_cast<int>(below(1'000)); }
  void fill(std::uint64_t& field) { field = random_(); }
  void fill(Lifecycle& field) { field = static_cast<Lifecycle>(below(kLifecycleCount)); }
  void fill(Desired& field) { field = static_cast<Desired>(below(3)); }
  void fill(healing::Cause& field) { field = static_cast<healing::Cause>(below(12)); }
  void fill(Millis& field) { field = Millis(below(100'000)); }
  void fill(SteadyTime& field) { field = kUptime + Nanos(below(7'200'000'000'000)) - std::chrono::hours(1); }
  void fill(OptionalTime& field) {
    SteadyTime at;
    fill(at);
    field = below(3) == 0 ? OptionalTime() : OptionalTime(at);
  }
  void fill(std::vector<SteadyTime>& field) {
    field.resize(below(5));
    for (SteadyTime& one : field) fill(one);
  }
  healing::Machine machine() {
    healing::Machine made;
    std::apply([this](auto&... field) { (fill(field), ...); }, fields_of(made));
    return made;
  }
  SpecPtr spec() {
    const bool process = below(2) == 0;
    std::string text = R"({"id":"svc)" + std::to_string(below(1'000)) + R"(","type":"core","endpoint":"http://127.0.0.1:7001")";
    text += R"(,"healthCheckInterval":)" + std::to_string(1'000 + below(60'000));
    if (below(2) == 0) text += R"(,"priority":)" + std::to_string(1 + below(10));
    if (below(2) == 0) text += R"(,"group":"g","weight":0.25)";
    if (below(2) == 0) text += R"(,"dependencies":["db",{"id":"mq","condition":"started","strength":"soft"}])";
    if (below(2) == 0) text += R"(,"metadata":{"a":[1,2.5,null],"b":{"c":"\u00e9"}})";
    if (below(2) == 0) text += R"(,"healthCheck":{"timeout":900,"headers":{"X":"y"},"expectedStatus":["200-204",301]})";
    if (process) {
      text += R"(,"maxRestarts":)" + std::to_string(below(9)) + R"(,"process":{"argv":["/bin/echo","{port}"],"env":{"KEY":"secret"}})";
      if (below(2) == 0) text += R"(,"restartDelay":250,"flapLimit":3)";
    }
    const ParseOptions options{.origin = below(2) == 0 ? Origin::file : Origin::python, .given_action = !process && below(2) == 0 ? &kCallableAction : nullptr};
    Result<std::vector<SpecPtr>> made = parse_service(text + "}", options);
    EXPECT_TRUE(made.ok()) << text << (made.ok() ? "" : made.error().message);
    return made.value().front();
  }
  ServiceState service() {
    ServiceState made;
    made.spec = spec();
    made.id = std::make_shared<const std::string>(made.spec->id);
    made.machine = machine();
    fill(made.serial);
    fill(made.order);
    fill(made.generation);
    fill(made.wanted);
    fill(made.leaving);
    std::vector<std::string> waiting;
    for (auto count = below(3); count > 0; --count) waiting.push_back("id" + std::to_string(count));
    made.waiting_ids = waiting;
    fill(made.restart_required);
    made.status = static_cast<HealthStatus>(below(4));
    made.start_time.ms = kNow.wall.ms - static_cast<std::int64_t>(below(10'000'000));
    if (!made.acts()) return made;
    made.own = OwnFacts{};
    if (below(2) == 0) {
      made.own->last_exit = ExitView{
          .code = static_cast<int>(below(256)), .oom = below(2) == 0, .at = made.start_time, .left_pid = 77};
    }
    if (below(2) == 0) made.own->last_exit = ExitView{.signal = static_cast<int>(below(64)), .at = made.start_time};
    if (below(2) == 0) made.own->executable_stamp = std::vector<std::uint64_t>{random_(), random_()};
    return made;
  }

 private:
  std::mt19937_64 random_;
};

// Through the bytes.
store::ServiceRecord stored(const store::ServiceRecord& record) {
  Result<store::ServiceRecord> back = store::decode_service(store::encode(record));
  EXPECT_TRUE(back.ok()) << (back.ok() ? "" : back.error().message);
  return std::move(back).value();
}

TEST(Durable, AMachineComesBackFieldByField) {
  for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
    const healing::Machine machine = Randomly(seed).machine();
    Result<healing::Machine> back = machine_of(record_of(machine, kNow.steady), kNow, kNow.wall);
    ASSERT_TRUE(back.ok());
    EXPECT_TRUE(back.value() == machine) << "seed " << seed;
  }
}

// Every single field is stored: a machine that differs in one of them alone has another record.
TEST(Durable, NoFieldOfAMachineIsLeftOut) {
  const healing::Machine plain;
  const store::MachineRecord without = record_of(plain, kNow.steady);
  const auto is_stored = [&](auto member) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
      healing::Machine changed;
      Randomly(seed).fill(member(changed));
      if (record_of(changed, kNow.steady) != without) return true;
    }
    return false;
  };
  const auto all = [&]<std::size_t... I>(std::index_sequence<I...>) {
    return std::vector<bool>{is_stored([](healing::Machine& machine) -> auto& { return std::get<I>(fields_of(machine)); })...};
  };
  const std::vector<bool> found = all(std::make_index_sequence<std::tuple_size_v<decltype(fields_of(plain))>>());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_TRUE(found[i]) << "field " << i << " of the machine";
}

// Both clocks went on by the same span: moments are where they were. So the orchestrator may have been away.
TEST(Durable, MomentsStayWhereTheyWereWhileBothClocksGoOn) {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    const healing::Machine machine = Randomly(seed).machine();
    Result<healing::Machine> back = machine_of(record_of(machine, kNow.steady), later(Millis(seed * 777)), kNow.wall);
    ASSERT_TRUE(back.ok());
    EXPECT_TRUE(back.value() == machine) << "seed " << seed;
  }
}

// After a reboot the steady clock begins anew; a deadline is as far away as it was, less the time that passed.
TEST(Durable, AfterARebootADeadlineIsStillAsFarAway) {
  healing::Machine machine;
  machine.timers.deadline = kNow.steady + std::chrono::seconds(60);
  machine.episode.failed_at = kNow.steady - std::chrono::seconds(10);
  const Now rebooted{SteadyTime(std::chrono::seconds(5)), {kNow.wall.ms + 20'000}};
  const healing::Machine back = machine_of(record_of(machine, kNow.steady), rebooted, kNow.wall).value();
  EXPECT_EQ(*back.timers.deadline - rebooted.steady, std::chrono::seconds(40));
  EXPECT_EQ(rebooted.steady - *back.episode.failed_at, std::chrono::seconds(30));
}

TEST(Durable, AWallClockThatWasSetBackHoldsNothingUp) {
  healing::Machine machine;
  machine.timers.deadline = kNow.steady + std::chrono::seconds(60);
  const Now now{kNow.steady + std::chrono::seconds(1), {kNow.wall.ms - 86'400'000}};
  const healing::Machine back = machine_of(record_of(machine, kNow.steady), now, kNow.wall).value();
  EXPECT_EQ(*back.timers.deadline - now.steady, std::chrono::seconds(60));
}

TEST(Durable, AServiceComesBackAsItWas) {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    Randomly random(seed);
    const ServiceState service = random.service();
    const StagedVerb staged{.serial = service.serial, .verb = static_cast<Verb>(random.below(3)), .after = {1, 2}, .raise = {3}};
    const ServiceFacts facts{service, static_cast<std::uint32_t>(random.below(99)), random.below(2) == 0 ? &staged : nullptr};
    const store::ServiceRecord record = stored(record_of(facts, kNow));
    ServiceState back;
    back.spec = service.spec;
    ASSERT_TRUE(restore(back, record, later(Millis(1'000))).ok());
    const Result<std::optional<StagedVerb>> verb = staged_of(record);
    ASSERT_TRUE(verb.ok());
    ASSERT_EQ(verb.value().has_value(), facts.staged != nullptr);
    const ServiceFacts again{back, record.ordinal, verb.value() ? &*verb.value() : nullptr};
    EXPECT_EQ(record_of(again, kNow), record) << "seed " << seed;
    EXPECT_EQ(durable_print(again), durable_print(facts)) << "seed " << seed;
    EXPECT_EQ(back.checks.front().tracker.status(), service.status);
  }
}

TEST(Durable, APrintDoesNotChangeWithTheTime) {
  const ServiceState service = Randomly(5).service();
  const ServiceFacts facts{service, std::nullopt, nullptr};
  EXPECT_EQ(store::fingerprint(record_of(facts, kNow)), store::fingerprint(record_of(facts, kNow)));
  EXPECT_NE(record_of(facts, kNow), record_of(facts, later(Millis(1))));
  EXPECT_EQ(durable_print(facts), durable_print(facts));
}

TEST(Durable, AnEntryIsParsedIntoTheSameServices) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    ServiceState service = Randomly(seed).service();
    const registry::Entry entry{.spec = service.spec, .instances = {}, .order = service.order, .generation = service.generation};
    const Result<store::EntryRecord> record = store::decode_entry(store::encode(entry_record_of(entry, "python")));
    ASSERT_TRUE(record.ok());
    EXPECT_EQ(record.value().name, service.spec->id);
    EXPECT_EQ(record.value().actor, "python");
    EXPECT_EQ(record.value().generation, service.generation);
    EXPECT_EQ(record.value().order, service.order);
    Result<std::vector<SpecPtr>> again =
        parse_service(record.value().source, {.origin = record.value().origin, .given_action = record.value().callable ? &kCallableAction : nullptr});
    ASSERT_TRUE(again.ok()) << again.error().message << " " << record.value().source;
    ASSERT_EQ(again.value().size(), 1U);
    const ServiceSpec& now = *again.value().front();
    const ServiceSpec& then = *service.spec;
    EXPECT_EQ(now.config_json(), then.config_json());
    EXPECT_EQ(now.source(), then.source());
    EXPECT_EQ(now.process, then.process);
    EXPECT_EQ(now.restart, then.restart);
    EXPECT_EQ(now.probe, then.probe);
    EXPECT_EQ(now.target, then.target);
    EXPECT_EQ(now.dependencies, then.dependencies);
    EXPECT_EQ(now.action, then.action);
    EXPECT_EQ(now.weight, then.weight);
    EXPECT_EQ(now.origin, then.origin);
  }
}

TEST(Durable, ReplicasAreOneEntryByItsOwnName) {
  Result<std::vector<SpecPtr>> specs = parse_service(
      R"({"id":"web","type":"core","endpoint":"http://127.0.0.1:7001","process":{"argv":["true"],"replicas":3,"ports":"7001-7003"}})",
      {.origin = Origin::python});
  ASSERT_TRUE(specs.ok()) << specs.error().message;
  const store::EntryRecord record = entry_record_of({.spec = specs.value().front()->entry}, "python");
  EXPECT_EQ(record.name, "web");
  Result<std::vector<SpecPtr>> again = parse_service(record.source, {.origin = record.origin});
  ASSERT_TRUE(again.ok()) << again.error().message;
  ASSERT_EQ(again.value().size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(again.value()[i]->config_json(), specs.value()[i]->config_json());
}

TEST(Durable, AWordOfAnotherProgramIsRefusedByName) {
  Randomly random(3);
  const ServiceState service = random.service();
  store::ServiceRecord record = record_of({service, std::nullopt, nullptr}, kNow);
  record.machine.cause = "sunspots";
  ServiceState back;
  back.spec = service.spec;
  const Result<void> refused = restore(back, record, kNow);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::storage_failed);
  EXPECT_NE(refused.error().message.find("the cause \"sunspots\" is not known"), std::string::npos) << refused.error().message;
  record.machine.cause = "crash";
  record.staged = store::StagedRecord{"explode", {}, {}};
  EXPECT_FALSE(staged_of(record).ok());
}

}  // namespace
}  // namespace azora::orchestrator
