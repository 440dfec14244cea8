// The action `process`: what it asks of the keeper, and what the keeper's reports become.
#include <gtest/gtest.h>

#include "actions/heard.hpp"
#include "azora/actions/table.hpp"
#include "azora/model/spec_parser.hpp"
#include "support/fake_keeper.hpp"
#include "support/fake_loop.hpp"

namespace azora::actions {
namespace {

using keeper::FakeKeeper;

class ProcessActionTest : public testing::Test {
 protected:
  ProcessActionTest() { table.set_listener(&heard, &heard); }
  SpecPtr spec(const std::string& process) {
    return parse_service(R"({"id":"a","type":"core","endpoint":"http://127.0.0.1:7001","process":{)" + process + "}}",
                         {.origin = Origin::file})
        .value()
        .front();
  }
  Action& action() { return *table.find(&kProcessAction); }

  FakeLoop loop;
  FakeKeeper keeper{loop};
  ActionTable table{keeper};
  Heard heard;
};

TEST_F(ProcessActionTest, ARunIsALaunchOfTheConfiguredProgram) {
  std::optional<keeper::Launch> launched;
  keeper.set_default([&](const keeper::Launch& launch) {
    launched = launch;
    return FakeKeeper::Behaviour{};
  });
  action().start({.run = {3, 2}, .spec = spec(R"("argv":["sleep","9"])")});
  ASSERT_TRUE(launched);
  EXPECT_EQ(launched->serial, 3U);
  EXPECT_EQ(launched->incarnation, 2U);
  EXPECT_EQ(launched->id, "a");
  EXPECT_EQ(launched->port, 7001);
  EXPECT_EQ(launched->spec.argv, (std::vector<std::string>{"sleep", "9"}));
  loop.run_until_idle();
  EXPECT_EQ(heard.lines, (std::vector<std::string>{"3.2 done pid 1001"}));
}

TEST_F(ProcessActionTest, ItIsStoppedByItsOwnSignalAndItsEndIsTold) {
  const SpecPtr given = spec(R"("argv":["true"],"stopSignal":"SIGINT")");
  action().start({.run = {1, 1}, .spec = given});
  loop.run_until_idle();
  action().stop({1, 1}, *given);
  loop.advance(Millis(100));
  EXPECT_EQ(heard.lines, (std::vector<std::string>{"1.1 done pid 1001", "1.1 ended by signal 2", "1.1 swept"}));
}

TEST_F(ProcessActionTest, ARefusedLaunchIsARefusedStartWithNothingLeft) {
  keeper.set(1, {.exec_fails = true});
  action().start({.run = {1, 1}, .spec = spec(R"("argv":["true"])")});
  loop.run_until_idle();
  EXPECT_EQ(heard.lines, (std::vector<std::string>{"1.1 refused: argv[0] not found on PATH", "1.1 swept"}));
}

TEST_F(ProcessActionTest, WhatOnlyTheKeeperSaysGoesToItsOwnListener) {
  keeper.set(1, {.warning = "only half of it"});
  action().start({.run = {1, 1}, .spec = spec(R"("argv":["true"])")});
  loop.run_until_idle();
  keeper.lose(1);
  keeper.set_link(false, "it ended");
  keeper.leave_running(9, 4, "b", {});
  loop.run_until_idle();
  EXPECT_EQ(heard.lines, (std::vector<std::string>{"1.1 warning: only half of it", "1.1 done pid 1001",
                                                   "1.1 lost: its shim was killed", "link down: it ended", "9.4 unknown"}));
}

}  // namespace
}  // namespace azora::actions
