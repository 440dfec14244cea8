// What waits for the store and what does not, over the whole core: prompt, slow, refusing and hung commits.
#include "azora/orchestrator/commits.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>

#include "azora/store/memory_store.hpp"
#include "support/commands.hpp"

namespace azora::orchestrator {
namespace {

using std::chrono::seconds;
using store::FakeStore;
using Command = keeper::FakeKeeper::Command;

class CommitsTest : public testing::Test {
 protected:
  void slowly(Millis delay) {
    world.store.set_delay([delay] { return Nanos(delay); });
    world.store.set_mode(FakeStore::Mode::slow);
  }
  // In a turn of its own; nullopt while it is not answered.
  using Outcome = std::shared_ptr<std::optional<Result<void>>>;
  template <typename Change>
  Outcome change(Change body) {
    auto outcome = std::make_shared<std::optional<Result<void>>>();
    world.turn([&] {
      const auto done = body();
      if (!done) {
        *outcome = Result<void>(done.error());
      } else {
        world.core.after_commit([outcome](const Result<void>& stored) { *outcome = stored; });
      }
    });
    return outcome;
  }
  Outcome put(const std::string& id, const std::string& more = "") {
    Result<std::vector<SpecPtr>> specs = parse_service(
        "{\"id\":\"" + id + "\",\"type\":\"core\",\"endpoint\":\"http://127.0.0.1:7001\",\"healthCheckInterval\":1000" + more + "}",
        {.origin = Origin::python});
    EXPECT_TRUE(specs.ok());
    return change([&] { return world.core.register_many(std::move(specs).value(), "python"); });
  }
  Outcome put_process(const std::string& id) { return put(id, ",\"process\":{\"argv\":[\"true\"]}"); }
  Outcome verb(Verb verb, const std::string& id) {
    return change([&] { return world.core.command(verb, id, false, false, "rest"); });
  }
  Outcome remove(const std::string& id) {
    return change([&] { return world.core.unregister(id, "rest"); });
  }
  std::size_t count(Command::Kind kind) const {
    return static_cast<std::size_t>(std::count_if(world.keeper.commands.begin(), world.keeper.commands.end(),
                                                  [kind](const Command& one) { return one.kind == kind; }));
  }
  std::optional<store::ServiceRecord> row(std::uint64_t serial) const {
    const std::string* bytes = world.store.find(store::service_key(serial));
    if (bytes == nullptr) return std::nullopt;
    Result<store::ServiceRecord> record = store::decode_service({store::service_key(serial), *bytes});
    EXPECT_TRUE(record.ok());
    return std::move(record).value();
  }
  bool entry(const std::string& name) const { return world.store.find(store::entry_key(name)) != nullptr; }
  static bool good(const Outcome& outcome) { return outcome->has_value() && (*outcome)->ok(); }
  static ErrorCode code(const Outcome& outcome) {
    return outcome->has_value() && !(*outcome)->ok() ? (*outcome)->error().code : ErrorCode::internal;
  }

  World world;
};

TEST_F(CommitsTest, APromptStoreHoldsNothingUp) {
  const Outcome outcome = put_process("a");
  EXPECT_TRUE(good(outcome));
  EXPECT_EQ(count(Command::Kind::launch), 1U);
  EXPECT_TRUE(entry("a"));
}

// Also where others of its turn wait for the store.
TEST_F(CommitsTest, AnAnswerThatThrowsDoesNotTakeTheOthersAlong) {
  slowly(Millis(700));
  Result<std::vector<SpecPtr>> specs = parse_service(
      R"({"id":"a","type":"core","endpoint":"http://127.0.0.1:7001","process":{"argv":["true"]}})", {.origin = Origin::python});
  int answered = 0;
  world.turn([&] {
    EXPECT_TRUE(world.core.register_many(std::move(specs).value(), "python").ok());
    world.core.after_publish([] { throw std::runtime_error("no memory"); });
    world.core.after_publish([&] { ++answered; });
    world.core.after_commit([](const Result<void>&) { throw std::runtime_error("no memory"); });
    world.core.after_commit([&](const Result<void>& stored) { answered += stored ? 1 : 0; });
  });
  EXPECT_EQ(answered, 1);
  world.advance(seconds(3));
  EXPECT_EQ(answered, 2);
  EXPECT_EQ(count(Command::Kind::launch), 1U);
}

TEST_F(CommitsTest, AnAnswerAndALaunchWaitWhileViewsAndEventsDoNot) {
  slowly(Millis(700));
  const Outcome outcome = put_process("a");
  ASSERT_TRUE(world.view("a"));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::starting);
  EXPECT_EQ(world.recorder.count(EventType::service_registered, "a"), 1);
  EXPECT_FALSE(outcome->has_value());
  EXPECT_EQ(count(Command::Kind::launch), 0U);
  EXPECT_FALSE(entry("a"));
  world.advance(Millis(699));
  EXPECT_FALSE(outcome->has_value());
  EXPECT_EQ(count(Command::Kind::launch), 0U);
  world.advance(Millis(1));
  EXPECT_TRUE(good(outcome));
  EXPECT_TRUE(entry("a"));
  EXPECT_EQ(row(world.view("a")->serial)->machine.incarnation, 1U);
  EXPECT_EQ(count(Command::Kind::launch), 1U);
}

TEST_F(CommitsTest, AStopSignalWaitsForItsIntent) {
  const std::uint64_t serial = world.add_process("a");
  world.advance(seconds(1));
  slowly(Millis(300));
  const Outcome outcome = verb(Verb::stop, "a");
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::stopping);
  EXPECT_EQ(count(Command::Kind::stop), 0U);
  EXPECT_EQ(row(serial)->wanted, Desired::up);
  world.advance(Millis(300));
  EXPECT_TRUE(good(outcome));
  EXPECT_EQ(row(serial)->wanted, Desired::down);
  EXPECT_EQ(count(Command::Kind::stop), 1U);
}

TEST_F(CommitsTest, AnExitIsToldAtOnceAndTheNextStartWaits) {
  const std::uint64_t serial = world.add_process("a");
  world.advance(seconds(1));
  world.store.set_mode(FakeStore::Mode::hung);
  world.keeper.crash(serial);
  world.loop.run_until_idle();
  EXPECT_EQ(world.recorder.count(EventType::service_exited, "a"), 1);
  EXPECT_EQ(world.recorder.published, world.recorder.events.size());
  EXPECT_EQ(world.status("a"), HealthStatus::unhealthy);
  EXPECT_EQ(world.recorder.tiers.at(serial), Tier::excluded);
  world.advance(seconds(1));
  EXPECT_EQ(count(Command::Kind::launch), 1U);
  world.store.set_mode(FakeStore::Mode::prompt);
  world.advance(Millis(10));
  EXPECT_EQ(count(Command::Kind::launch), 2U);
}

TEST_F(CommitsTest, AVerdictIsToldAtOnceToo) {
  const std::uint64_t serial = world.add(R"({"id":"a","type":"core","endpoint":"http://127.0.0.1:7001","healthCheckInterval":1000})");
  world.advance(seconds(2));
  world.store.set_mode(FakeStore::Mode::hung);
  world.prober.set(serial, health::FakeProber::Answer::http(500));
  world.advance(seconds(3));
  EXPECT_EQ(world.status("a"), HealthStatus::unhealthy);
  EXPECT_EQ(world.recorder.count(EventType::service_unhealthy, "a"), 1);
  EXPECT_EQ(row(serial)->status, HealthStatus::healthy);
  world.store.set_mode(FakeStore::Mode::prompt);
  world.advance(seconds(1));
  EXPECT_EQ(row(serial)->status, HealthStatus::unhealthy);
}

// What it found may not be stored yet: an answer without a row of its own is no promise either.
TEST_F(CommitsTest, AChangeThatChangesNothingWaitsForTheLastTicket) {
  world.add_process("a");
  world.advance(seconds(1));
  slowly(Millis(500));
  const Outcome first = verb(Verb::stop, "a");
  world.advance(Millis(100));
  const Outcome second = verb(Verb::stop, "a");
  EXPECT_FALSE(second->has_value());
  world.advance(Millis(400));
  EXPECT_TRUE(good(first));
  EXPECT_TRUE(good(second));
}

TEST_F(CommitsTest, ALaunchThatAStopCrossedIsNeverMade) {
  slowly(Millis(500));
  put_process("a");
  world.advance(Millis(100));
  const Outcome stopped = verb(Verb::stop, "a");
  world.advance(seconds(5));
  EXPECT_TRUE(good(stopped));
  EXPECT_EQ(count(Command::Kind::launch), 0U);
  EXPECT_EQ(count(Command::Kind::stop), 0U);
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::idle);
  EXPECT_EQ(world.core.processes_alive(), 0U);
  verb(Verb::start, "a");
  world.advance(seconds(5));
  EXPECT_EQ(world.status("a"), HealthStatus::healthy);
}

TEST_F(CommitsTest, AKillNeverOvertakesTheStopThatItFollows) {
  world.keeper.set_default([](const keeper::Launch&) { return keeper::FakeKeeper::Behaviour{.ignores_stop = true}; });
  put("a", R"(,"process":{"argv":["true"],"stopTimeout":200})");
  world.advance(seconds(1));
  slowly(seconds(1));
  verb(Verb::stop, "a");
  world.advance(Millis(900));
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::killing);
  EXPECT_EQ(count(Command::Kind::kill), 0U);
  world.advance(seconds(2));
  const auto& commands = world.keeper.commands;
  const auto first = std::find_if(commands.begin(), commands.end(), [](const Command& one) { return one.kind != Command::Kind::launch; });
  ASSERT_NE(first, commands.end());
  EXPECT_EQ(first->kind, Command::Kind::stop);
  EXPECT_GE(count(Command::Kind::kill), 1U);
}

TEST_F(CommitsTest, AKillOfWhatWasToldToStopWaitsForNothing) {
  world.keeper.set_default([](const keeper::Launch&) { return keeper::FakeKeeper::Behaviour{.ignores_stop = true}; });
  put("a", R"(,"process":{"argv":["true"],"stopTimeout":200})");
  world.advance(seconds(1));
  verb(Verb::stop, "a");
  EXPECT_EQ(count(Command::Kind::stop), 1U);
  world.store.set_mode(FakeStore::Mode::hung);
  world.advance(Millis(250));
  EXPECT_GE(count(Command::Kind::kill), 1U);
}

TEST_F(CommitsTest, ARefusedCommitAnswersWithItsReasonAndHealingGoesOn) {
  const std::uint64_t serial = world.add_process("a");
  world.advance(seconds(1));
  world.store.set_delay([] { return Nanos(Millis(50)); });
  world.store.set_mode(FakeStore::Mode::failing);
  const Outcome first = put("b");
  world.advance(Millis(60));
  EXPECT_EQ(code(first), ErrorCode::storage_full);
  EXPECT_NE((*first)->error().message.find("no space left on device"), std::string::npos);
  EXPECT_TRUE(world.view("b"));  // in effect, not acknowledged

  EXPECT_NE(world.core.self().reason(Part::store).find("no space left on device"), std::string::npos);
  EXPECT_EQ(world.recorder.count(EventType::orchestrator_degraded), 1);

  // From here on changes are refused before they do anything.
  const Outcome second = put("c");
  EXPECT_EQ(code(second), ErrorCode::storage_full);
  EXPECT_FALSE(world.view("c"));
  EXPECT_EQ(code(verb(Verb::stop, "a")), ErrorCode::storage_full);
  EXPECT_EQ(world.lifecycle("a"), Lifecycle::ready);
  EXPECT_EQ(code(remove("b")), ErrorCode::storage_full);

  world.keeper.crash(serial);
  world.advance(seconds(3));
  EXPECT_EQ(world.status("a"), HealthStatus::healthy) << "healed from memory";
  EXPECT_EQ(count(Command::Kind::launch), 2U);
}

TEST_F(CommitsTest, WithRoomAgainEverythingIsStoredAndChangesAreTaken) {
  const std::uint64_t serial = world.add_process("a");
  world.advance(seconds(1));
  world.store.set_mode(FakeStore::Mode::failing);
  put("b");
  world.advance(Millis(10));
  world.keeper.crash(serial);
  world.advance(seconds(5));
  EXPECT_FALSE(entry("b"));
  world.store.set_mode(FakeStore::Mode::prompt);
  world.advance(seconds(2));
  EXPECT_TRUE(entry("b"));
  EXPECT_EQ(row(serial)->machine.incarnation, 2U);
  EXPECT_TRUE(row(world.view("b")->serial).has_value());
  EXPECT_EQ(world.core.self().reason(Part::store), "");
  EXPECT_EQ(world.recorder.count(EventType::orchestrator_recovered), 1);
  EXPECT_TRUE(good(put("c")));
  EXPECT_TRUE(world.core.violations().empty());
}

TEST_F(CommitsTest, AStoreThatDoesNotAnswerIsGivenUpOnAfterItsPatience) {
  const std::uint64_t serial = world.add_process("a");
  world.advance(seconds(1));
  world.store.set_mode(FakeStore::Mode::hung);
  const Outcome outcome = put("b");
  world.keeper.crash(serial);
  world.advance(Commits::kPatience - Millis(1));
  EXPECT_FALSE(outcome->has_value());
  EXPECT_EQ(count(Command::Kind::launch), 1U);
  world.advance(Millis(1));
  EXPECT_EQ(code(outcome), ErrorCode::storage_failed);
  EXPECT_EQ(count(Command::Kind::launch), 2U);
  EXPECT_EQ(code(put("c")), ErrorCode::storage_failed);
  // It answers after all.
  world.store.set_mode(FakeStore::Mode::prompt);
  world.advance(seconds(3));
  EXPECT_TRUE(good(put("c")));
  EXPECT_TRUE(entry("b"));
  EXPECT_EQ(row(serial)->machine.incarnation, 2U);
}

TEST_F(CommitsTest, AStopOfTheWholeEndsAtItsDeadlineThoughTheStoreHangs) {
  world.add_process("a");
  world.advance(seconds(1));
  world.store.set_mode(FakeStore::Mode::hung);
  const LeftRunning answer = stop_all(world, seconds(2));
  const auto& left = *answer;
  EXPECT_FALSE(left.has_value());
  world.advance(seconds(2));
  ASSERT_TRUE(left.has_value());
  EXPECT_EQ(*left, (std::vector<std::string>{"a"}));
}

TEST_F(CommitsTest, WhatWaitsIsAnsweredWhenTheProgramEnds) {
  world.store.set_mode(FakeStore::Mode::hung);
  const Outcome before = put("a");
  world.turn([&] { world.core.abandon_waiters(); });
  EXPECT_EQ(code(before), ErrorCode::closed);
  const Outcome after = put("b");  // was on its way
  EXPECT_EQ(code(after), ErrorCode::closed);
}

TEST_F(CommitsTest, NothingIsWaitedForOnceTheProgramEnds) {
  world.add_process("a");
  world.advance(seconds(1));
  world.keeper.set_delay([] { return std::chrono::hours(2); });  // a keeper that is away
  std::vector<std::string> answered;
  world.turn([&] { world.core.close(world.loop.now().steady + seconds(1), [&](const auto&) { answered.emplace_back("close"); }); });
  EXPECT_EQ(world.core.start().error().code, ErrorCode::closed);
  world.advance(seconds(1));
  world.turn([&] { world.core.abandon_waiters(); });
  // What passed the gate before it was closed, and was posted late.
  world.turn([&] {
    const SteadyTime never = world.loop.now().steady + std::chrono::hours(1);
    world.core.wait_for("a", Goal::ready, never, [&](const Result<void>& met) { answered.emplace_back(met.ok() ? "ready" : "wait"); });
    world.core.stop(never, [&](const std::vector<std::string>& left) { answered.push_back("stop " + left.at(0)); });
  });
  EXPECT_EQ(answered, (std::vector<std::string>{"close", "stop a", "wait"}));
  EXPECT_FALSE(world.recorder.board->running);
}

TEST_F(CommitsTest, TheEpochOfTheKeeperIsStored) {
  const auto stored = [&] {
    const std::string* bytes = world.store.find(store::key_of(store::HeadsRecord{}));
    return bytes == nullptr ? 0 : store::decode_heads({store::key_of(store::HeadsRecord{}), *bytes}).value().epoch;
  };
  world.keeper.set_epoch(7);
  world.add_process("a");
  world.advance(seconds(1));
  EXPECT_EQ(stored(), 7U);
  world.keeper.set_epoch(8);
  world.turn([] {});
  EXPECT_EQ(stored(), 8U);
}

TEST_F(CommitsTest, WhyTellsThatAStartWaitsForTheStore) {
  slowly(Millis(1'000));
  (void)put_process("a");
  world.advance(std::chrono::milliseconds(300));
  const auto why = [&] { return why_json(*world.recorder.board, "a", world.loop.now(), world.core.why_sources()).value(); };
  EXPECT_NE(why().find("a has not been started yet: its start waits until it is stored, for 300 ms so far"), std::string::npos) << why();
  EXPECT_NE(why().find(R"("unblockedBy":["an answer from the store"])"), std::string::npos) << why();
  world.advance(seconds(2));
  EXPECT_EQ(why().find("store"), std::string::npos) << why();
}

TEST_F(CommitsTest, ARemovalIsStoredAndItsServiceWhenItsProcessIsGone) {
  const std::uint64_t serial = world.add_process("a");
  world.advance(seconds(1));
  EXPECT_TRUE(good(remove("a")));
  EXPECT_FALSE(entry("a"));
  ASSERT_TRUE(row(serial).has_value());
  EXPECT_TRUE(row(serial)->leaving);
  EXPECT_NE(row(serial)->leaving_source.find("\"true\""), std::string::npos);
  world.advance(seconds(1));
  EXPECT_FALSE(row(serial).has_value());
}

TEST_F(CommitsTest, ChecksThatChangeNothingWriteNothing) {
  world.add_process("a");
  world.add(R"({"id":"b","type":"core","endpoint":"http://127.0.0.1:7002","healthCheckInterval":1000})");
  world.advance(seconds(120));  // past stableAfter
  const std::uint64_t commits = world.store.commits();
  const std::uint64_t asked = world.prober.asked_total();
  world.advance(seconds(600));
  EXPECT_GE(world.prober.asked_total() - asked, 1'000U);
  EXPECT_EQ(world.store.commits(), commits);
}

// A block is reserved long before the head reaches its end.
TEST_F(CommitsTest, EventNumbersAreReservedAhead) {
  put("a");
  const std::string* bytes = world.store.find({store::Table::heads, {}});
  ASSERT_NE(bytes, nullptr);
  const store::HeadsRecord heads = store::decode_heads({{store::Table::heads, {}}, *bytes}).value();
  EXPECT_GE(heads.event_seq, world.recorder.head() + 500'000);
  EXPECT_GE(heads.last_serial, 30'000U);
  EXPECT_EQ(heads.next_order, 1U);
}

// A fleet without a state directory pays for no record.
TEST(Journal, MakesNoRowsForAStoreThatKeepsNone) {
  Fleet fleet;
  Verbs verbs;
  const store::MemoryStore nothing(store::MemoryStore::Keep::nothing);
  Journal journal(nothing, {.fleet = fleet, .verbs = verbs, .now = {}, .event_head = {}, .ordinal = {}});
  journal.touch(1);
  journal.touch_entry("a", "rest");
  EXPECT_TRUE(journal.collect().empty());
}

TEST_F(CommitsTest, AllThatIsStoredDecodes) {
  world.add_process("a");
  world.add_process("b", R"("dependencies":["a"])");
  world.add(R"({"id":"c","type":"core","endpoint":"http://127.0.0.1:7002","healthCheckInterval":1000})");
  world.advance(seconds(5));
  const Result<store::State> state = store::decode_state(world.store.load().value());
  ASSERT_TRUE(state.ok()) << state.error().message;
  ASSERT_EQ(state.value().entries.size(), 3U);
  EXPECT_EQ(state.value().entries[1].name, "b");
  ASSERT_EQ(state.value().services.size(), 3U);
  EXPECT_EQ(state.value().services[0].status, HealthStatus::healthy);
  EXPECT_EQ(state.value().services[0].machine.lifecycle, Lifecycle::ready);
  EXPECT_EQ(state.value().services[2].machine.lifecycle, Lifecycle::watching);
}

}  // namespace
}  // namespace azora::orchestrator
