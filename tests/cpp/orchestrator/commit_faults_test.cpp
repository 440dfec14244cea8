// Something throws while a turn is committed: what the turn answers and sends is not lost with it.
#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>

#include "azora/orchestrator/journal.hpp"
#include "support/commands.hpp"

namespace azora::orchestrator {
namespace {

using std::chrono::seconds;

TEST(CommitFaults, AStoreThatThrowsIsTroubleOfTheStoreAndLosesNoCommand) {
  World world;
  const auto old = world.add_process("old");
  world.advance(seconds(2));
  std::optional<Result<void>> stored;
  world.store.set_throws(true);
  world.turn([&] {
    Result<std::vector<SpecPtr>> specs = parse_service(R"({"id":"new","type":"core","endpoint":"http://127.0.0.1:7100",)"
                                                       R"("process":{"argv":["true"]}})", {.origin = Origin::python});
    ASSERT_TRUE(specs.ok() && world.core.register_many(std::move(specs).value(), "python").ok());
    ASSERT_TRUE(world.core.command(Verb::stop, "old", false, false, "rest").ok());
    world.core.after_commit([&](const Result<void>& result) { stored = result; });
  });
  ASSERT_TRUE(stored.has_value());
  ASSERT_FALSE(stored->ok());
  EXPECT_EQ(stored->error().code, ErrorCode::storage_failed);
  EXPECT_EQ(stored->error().message, "not stored: the store is broken");
  ASSERT_NE(world.core.storage_trouble(), nullptr);
  world.advance(seconds(3));
  EXPECT_EQ(world.status("new"), HealthStatus::healthy);
  EXPECT_FALSE(world.keeper.alive(old));
  EXPECT_EQ(world.store.find(store::entry_key("new")), nullptr);
  world.store.set_throws(false);
  world.advance(seconds(2));
  EXPECT_EQ(world.core.storage_trouble(), nullptr);
  EXPECT_NE(world.store.find(store::entry_key("new")), nullptr) << "stored as soon as it works again";
  EXPECT_TRUE(world.core.violations().empty());
}

TEST(CommitFaults, WhatWasTouchedIsCollectedAgainWhenCollectingThrew) {
  FakeLoop loop;
  store::FakeStore store(loop);
  const Fleet fleet;
  const Verbs verbs;
  bool broken = true;
  Journal journal(store, {.fleet = fleet,
                          .verbs = verbs,
                          .now = [&] { return loop.now(); },
                          .event_head = [] { return std::uint64_t{1}; },
                          .epoch = [&]() -> std::uint64_t {
                            if (broken) throw std::runtime_error("no epoch");
                            return 1;
                          },
                          .ordinal = [](std::uint64_t) { return std::optional<std::uint32_t>(); }});
  journal.touch_entry("gone", "rest");
  EXPECT_THROW((void)journal.collect(), std::runtime_error);
  EXPECT_TRUE(journal.owes());
  broken = false;
  EXPECT_EQ(journal.collect().removed.size(), 1U);
  EXPECT_FALSE(journal.owes());
}

}  // namespace
}  // namespace azora::orchestrator
