// How a service stands in its pools, and the words for it.
#include "azora/orchestrator/standing.hpp"

#include <gtest/gtest.h>

#include "azora/model/spec_parser.hpp"

namespace azora::orchestrator {
namespace {

class StandingTest : public testing::Test {
 protected:
  StandingTest() {
    Result<std::vector<SpecPtr>> specs = parse_service(
        R"({"id":"a","type":"core","endpoint":"http://127.0.0.1:7001","process":{"argv":["true"]}})",
        {.origin = Origin::python});
    EXPECT_TRUE(specs.ok());
    service.spec = specs.value().front();
    service.status = HealthStatus::healthy;
    service.machine.lifecycle = Lifecycle::ready;
  }
  std::string_view why(bool running = true) const {
    const Standing standing = standing_of(service, {.running = running});
    return standing.tier == Tier::excluded ? wire_name(standing.why) : "in";
  }

  ServiceState service;
};

TEST_F(StandingTest, ReadyAndHealthyIsIn) { EXPECT_EQ(why(), "in"); }

TEST_F(StandingTest, StoppingIsNotDraining) {
  for (const Lifecycle state : {Lifecycle::stopping, Lifecycle::killing, Lifecycle::stuck}) {
    service.machine.lifecycle = state;
    EXPECT_EQ(why(), "stopping");
  }
}

TEST_F(StandingTest, AStoppedOrchestratorIsNotDraining) { EXPECT_EQ(why(false), "unwatched"); }

TEST_F(StandingTest, WhatItsOwnerSaysOfItsTrafficStandsBesideItsHealth) {
  service.owner = OwnerState{.drain = Drain{}, .maintenance = std::nullopt};
  EXPECT_EQ(standing_of(service, {.running = true}).admin, Admin::draining);
  EXPECT_EQ(why(), "in") << "its health is what it is";
  service.owner->drain->done = true;
  EXPECT_EQ(standing_of(service, {.running = true}).admin, Admin::draining);
  service.owner->maintenance = Maintenance{.reason = "disk"};
  EXPECT_EQ(standing_of(service, {.running = true}).admin, Admin::maintenance);
  service.owner = {};
  EXPECT_EQ(standing_of(service, {.running = true}).admin, Admin::active);
}

TEST_F(StandingTest, AProcessThatDoesNotRunIsStopped) {
  for (const Lifecycle state : {Lifecycle::sweep, Lifecycle::backoff, Lifecycle::failed, Lifecycle::idle}) {
    service.machine.lifecycle = state;
    EXPECT_EQ(why(), "stopped");
  }
}

}  // namespace
}  // namespace azora::orchestrator
