// When a change of standing reaches the pickers: exclusions at once, returns with the turn's publication.
#include "azora/orchestrator/live_publisher.hpp"

#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "azora/model/spec_parser.hpp"

namespace azora::orchestrator {
namespace {

class LivePublisherTest : public testing::Test {
 protected:
  LivePublisherTest() {
    Result<std::vector<SpecPtr>> specs =
        parse_service(R"({"id":"a","type":"core","endpoint":"http://127.0.0.1:7001"})", {});
    EXPECT_TRUE(specs.ok());
    publisher.pool_put(1, specs.value().front());
    publisher.publish(nullptr);
  }
  bool picked() { return balancer.pick("core").ok(); }

  const ThreadRole::Scope role{control_thread};
  balancer::Balancer balancer;
  std::shared_ptr<events::EventLog> log = std::make_shared<events::EventLog>();
  LivePublisher publisher{balancer, *log};
};

TEST_F(LivePublisherTest, AReturnWaitsForTheTurnsPublication) {
  publisher.set_standing(1, {Tier::healthy, Exclusion::none}, 1);
  EXPECT_FALSE(picked());
  publisher.publish(nullptr);
  EXPECT_TRUE(picked());
}

// A drain takes it out of rotation at once and ends no lease; its end waits for the turn's publication.
TEST_F(LivePublisherTest, ADrainExcludesAtOnceAndKeepsTheLeases) {
  publisher.set_standing(1, {Tier::healthy, Exclusion::none}, 1);
  publisher.publish(nullptr);
  const Result<balancer::Pick> pick = balancer.pick("core", {.lease = true});
  ASSERT_TRUE(pick.ok());
  publisher.set_standing(1, {Tier::healthy, Exclusion::none, Admin::draining}, 1);
  EXPECT_FALSE(picked());
  publisher.publish(nullptr);
  EXPECT_FALSE(picked());
  EXPECT_EQ(wire_name(balancer.candidates("core").front().excluded), "draining");
  EXPECT_EQ(publisher.leases(1), 1U);
  EXPECT_TRUE(balancer.release(pick.value().lease->id, {}));
  EXPECT_EQ(publisher.leases(1), 0U);
  publisher.set_standing(1, {Tier::healthy, Exclusion::none}, 1);
  EXPECT_FALSE(picked());
  publisher.publish(nullptr);
  EXPECT_TRUE(picked());
  publisher.set_standing(1, {Tier::healthy, Exclusion::none, Admin::maintenance}, 1);
  EXPECT_EQ(wire_name(balancer.candidates("core").front().excluded), "maintenance");
}

TEST_F(LivePublisherTest, AThreadThatReadTheBoardAndIdlesPinsNoOldOne) {
  publisher.publish(std::make_shared<const Board>());
  std::weak_ptr<const Board> seen;
  std::promise<void> read;
  std::promise<void> end;
  std::thread reader([&] {
    seen = publisher.board();
    read.set_value();
    end.get_future().wait();
  });
  read.get_future().wait();
  EXPECT_FALSE(seen.expired());
  publisher.publish(std::make_shared<const Board>());
  EXPECT_TRUE(seen.expired());
  end.set_value();
  reader.join();
}

TEST_F(LivePublisherTest, AnExclusionTakesEffectAtOnceAndOverridesAReturnOfTheSameTurn) {
  publisher.set_standing(1, {Tier::healthy, Exclusion::none}, 1);
  publisher.publish(nullptr);
  publisher.set_standing(1, {Tier::excluded, Exclusion::stopped}, 1);
  EXPECT_FALSE(picked());
  publisher.set_standing(1, {Tier::healthy, Exclusion::none}, 2);
  publisher.set_standing(1, {Tier::excluded, Exclusion::stopped}, 2);
  publisher.publish(nullptr);
  EXPECT_FALSE(picked());
}

TEST_F(LivePublisherTest, WhoIsRemovedInTheTurnOfItsReturnStaysGone) {
  publisher.set_standing(1, {Tier::healthy, Exclusion::none}, 1);
  publisher.pool_remove(1);
  publisher.publish(nullptr);
  EXPECT_FALSE(picked());
}

TEST_F(LivePublisherTest, TheBoardIsReadByWhoeverSawTheEvent) {
  Event event;
  event.type = EventType::service_healthy;
  const std::uint64_t seq = publisher.append(std::move(event));
  EXPECT_EQ(log->visible(), 0U);
  auto board = std::make_shared<Board>();
  board->version = 7;
  publisher.publish(board);
  EXPECT_EQ(log->visible(), seq);
  EXPECT_EQ(publisher.board()->version, 7U);
}

TEST_F(LivePublisherTest, WhatReadersReflectMovesWithTheTurnAlsoWithoutANewBoard) {
  const std::uint64_t seq = publisher.append_check({.serial = 1, .status = HealthStatus::healthy});
  EXPECT_EQ(publisher.seq(), 0U);
  publisher.publish(nullptr);
  EXPECT_EQ(publisher.seq(), seq);
}

}  // namespace
}  // namespace azora::orchestrator
