// What becomes true at the end of a turn, and in which order.
#include "azora/orchestrator/turn.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "azora/base/check.hpp"
#include "azora/model/spec_parser.hpp"
#include "azora/orchestrator/commits.hpp"
#include "azora/store/memory_store.hpp"
#include "support/fake_loop.hpp"
#include "support/recorder.hpp"

namespace azora::orchestrator {
namespace {

class TurnTest : public testing::Test {
 protected:
  TurnTest() {
    Result<std::vector<SpecPtr>> specs =
        parse_service(R"({"id":"a","type":"core","endpoint":"http://127.0.0.1:7001"})", {});
    EXPECT_TRUE(specs.ok());
    service.serial = 1;
    service.spec = specs.value().front();
    service.id = std::make_shared<const std::string>("a");
    service.figures = pages.make();
    recorder.on_publish = [this] { order.emplace_back("publish"); };
  }
  void end() {
    turn.publish({.running = true, .healthy = 1});
    commits.end_turn(turn.take_answers(), turn.take_sends());
  }

  void deliver(const Send& send) {
    if (send.run.serial == 13) throw std::runtime_error("no memory");
    order.emplace_back("send");
  }

  FigurePages pages;
  FakeLoop loop;
  Recorder recorder;
  std::vector<std::string> order;
  Fleet fleet;
  Verbs verbs;
  store::MemoryStore store{store::MemoryStore::Keep::nothing};
  Commits commits{loop, store, {.fleet = fleet, .verbs = verbs}, {.deliver = [this](Send& send) { deliver(send); }}};
  Turn turn{loop, recorder, commits.journal()};
  ServiceState service;
};

TEST_F(TurnTest, PublishesThenAnswersThenSends) {
  turn.send(Send::to_kill({1, 1}, &kProcessAction));
  turn.answer([this] { order.emplace_back("answer"); });
  turn.acknowledge([this](const Result<void>&) { order.emplace_back("acknowledge"); });
  turn.mark_dirty(service);
  end();
  EXPECT_EQ(order, (std::vector<std::string>{"publish", "answer", "acknowledge", "send"}));
  end();
  EXPECT_EQ(order.size(), 5U);  // each leaves once
}

TEST_F(TurnTest, OneThatThrowsDoesNotTakeTheOthersAlong) {
  turn.answer([] { throw std::runtime_error("no memory"); });
  turn.answer([this] { order.emplace_back("answer"); });
  turn.send(Send::to_kill({1, 1}, &kProcessAction));
  const std::uint64_t bugs = bug_count();
  end();
  EXPECT_EQ(order, (std::vector<std::string>{"publish", "answer", "send"}));
  EXPECT_EQ(bug_count(), bugs + 1);
}

TEST_F(TurnTest, ASendThatThrowsDoesNotTakeTheOthersAlong) {
  turn.send(Send::to_kill({13, 1}, &kProcessAction));
  turn.send(Send::to_kill({1, 1}, &kProcessAction));
  turn.answer([this] { order.emplace_back("answer"); });
  const std::uint64_t bugs = bug_count();
  end();
  EXPECT_EQ(order, (std::vector<std::string>{"publish", "answer", "send"}));
  EXPECT_EQ(bug_count(), bugs + 1);
}

TEST_F(TurnTest, OneViewForManyMarks) {
  turn.mark_dirty(service);
  turn.mark_dirty(service);
  end();
  EXPECT_EQ(turn.counts().views_built.value(), 1U);
  ASSERT_TRUE(recorder.view("a"));
  EXPECT_EQ(recorder.board->healthy, 1U);
  EXPECT_TRUE(recorder.board->running);
}

TEST_F(TurnTest, EventsAloneMakeNoBoard) {
  turn.mark_dirty(service);
  end();
  const std::shared_ptr<const Board> before = recorder.board;
  turn.emit(EventType::health_check, service, "probe");
  end();
  EXPECT_EQ(recorder.board, before);
  EXPECT_EQ(recorder.published, 1U);
}

TEST_F(TurnTest, AViewRefersToTheFiguresOfItsService) {
  turn.mark_dirty(service);
  end();
  service.figures->alive({5}, 7);
  EXPECT_EQ(recorder.view("a")->figures().uptime_ms, 7);
}

TEST_F(TurnTest, VersionsTellWhatDiffers) {
  turn.mark_dirty(service);
  end();
  const Board first = *recorder.board;
  turn.mark_dirty(service);
  end();
  EXPECT_GT(recorder.board->version, first.version);
  EXPECT_EQ(recorder.board->list_version, first.list_version);
  turn.lists_changed();
  turn.mark_dirty(service);
  end();
  EXPECT_GT(recorder.board->list_version, first.list_version);
  EXPECT_EQ(recorder.board->topology, first.topology);
  turn.membership_changed();
  end();
  EXPECT_GT(recorder.board->topology, first.topology);
}

TEST_F(TurnTest, WhereNothingChangedTheBoardStays) {
  turn.mark_dirty(service);
  end();
  const std::shared_ptr<const Board> before = recorder.board;
  end();
  EXPECT_EQ(recorder.board, before);
  EXPECT_EQ(turn.counts().turns.value(), 2U);
}

TEST_F(TurnTest, OneThatLeavesIsNotPublishedAgain) {
  turn.mark_dirty(service);
  end();
  turn.mark_dirty(service);
  service.leaving = true;
  turn.remove_view("a", service.order);
  end();
  EXPECT_FALSE(recorder.view("a"));
}

TEST_F(TurnTest, OneBatchHasOneTimeAndOneActor) {
  const Now before = turn.now();
  {
    const Turn::OneTime one(turn);
    const Turn::ActingFor acting(turn, "rest");
    loop.stall(Nanos(std::chrono::seconds(1)));
    EXPECT_EQ(turn.now().steady, before.steady);
    EXPECT_EQ(turn.event_of(EventType::service_registered, service, "").actor, "rest");
  }
  EXPECT_GT(turn.now().steady, before.steady);
  EXPECT_EQ(turn.event_of(EventType::service_registered, service, "").actor, "orchestrator");
}

}  // namespace
}  // namespace azora::orchestrator
