// A shim is killed: its service goes with it, nothing below survives, and it is said (semantics A 1, design 3).
#include <gtest/gtest.h>
#include <signal.h>

#include "keeper/program_rig.hpp"

namespace azora::keeper {
namespace {

constexpr char kFamily[] =
    "setsid sh -c 'echo $$ > $FIFO; exec sleep 1000' >/dev/null 2>&1 &"
    "sleep 1000 & echo $! > $FIFO; exec sleep 1000";

class ProgramLost : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override { rig.start_keeper(); }
  ProgramRig rig{{.cgroup = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(Cgroup, ProgramLost, testing::Values(true, false),
                         [](const auto& test) { return test.param ? "with" : "without"; });

TEST_P(ProgramLost, NoDescendantSurvivesAKilledShim) {
  const Record started = rig.launch_and_await(rig.shell(1, kFamily));
  const Record other = rig.launch_and_await(rig.shell(2, "exec sleep 1000"));
  const std::vector<pid_t> pids{started.pid, rig.pid_line(), rig.pid_line()};
  ASSERT_EQ(::kill(rig.shim_of(1), SIGKILL), 0);
  const Record lost = rig.await(1, Phase::lost);
  EXPECT_EQ(lost.phase, Phase::lost);
  EXPECT_EQ(lost.pid, started.pid);
  for (const pid_t pid : pids) EXPECT_TRUE(is_gone(pid)) << pid;
  EXPECT_FALSE(is_gone(other.pid));
  // And it can be started again, in a new shim.
  rig.say(FrameType::ack, 1);
  EXPECT_EQ(rig.launch_and_await(rig.shell(1, "exec sleep 1000", 2)).phase, Phase::running);
}

TEST_P(ProgramLost, EveryShimKilledAtOnce) {
  std::vector<pid_t> shims;
  for (std::uint64_t serial = 1; serial <= 10; ++serial) {
    rig.launch_and_await(rig.shell(serial, kFamily));
    shims.push_back(rig.shim_of(serial));
  }
  std::vector<pid_t> pids;
  for (int i = 0; i < 20; ++i) pids.push_back(rig.pid_line());
  for (const pid_t shim : shims) ASSERT_EQ(::kill(shim, SIGKILL), 0);
  for (std::uint64_t serial = 1; serial <= 10; ++serial) EXPECT_EQ(rig.await(serial, Phase::lost).phase, Phase::lost);
  for (const pid_t pid : pids) EXPECT_TRUE(is_gone(pid)) << pid;
}

TEST_P(ProgramLost, AShimOfAFormerKeeperIsMissedToo) {
  // One left the session, the other the output: either alone still tells them from strangers.
  const std::string family =
      "sleep 1000 >/dev/null 2>&1 & echo $! > $FIFO; setsid sh -c 'echo $$ > $FIFO; exec sleep 1000' & exec sleep 1000";
  const Record started = rig.launch_and_await(rig.shell(1, family));
  const std::vector<pid_t> pids{started.pid, rig.pid_line(), rig.pid_line()};
  const pid_t shim = rig.shim_of(1);
  ASSERT_EQ(::kill(rig.keeper_pid, SIGKILL), 0);
  ASSERT_TRUE(rig.await_end_of_link());
  rig.start_keeper();
  ASSERT_TRUE(rig.list());
  rig.await(1, Phase::running);
  ASSERT_EQ(::kill(shim, SIGKILL), 0);
  EXPECT_EQ(rig.await(1, Phase::lost).phase, Phase::lost);
  for (const pid_t pid : pids) EXPECT_TRUE(is_gone(pid)) << pid;
}

TEST_P(ProgramLost, ACgroupFindsWhatLeftSessionAndOutput) {
  const Record started = rig.launch_and_await(rig.shell(1, kFamily));
  const std::vector<pid_t> pids{started.pid, rig.pid_line(), rig.pid_line()};
  EXPECT_TRUE(GetParam() || !started.in_cgroup);
  if (!started.in_cgroup) GTEST_SKIP() << "needs a cgroup that may be written";
  const pid_t shim = rig.shim_of(1);
  ASSERT_EQ(::kill(rig.keeper_pid, SIGKILL), 0);
  ASSERT_TRUE(rig.await_end_of_link());
  ASSERT_EQ(::kill(shim, SIGKILL), 0);
  rig.start_keeper();
  rig.reclaim(started);
  EXPECT_EQ(rig.await(1, Phase::lost).phase, Phase::lost);
  for (const pid_t pid : pids) EXPECT_TRUE(is_gone(pid)) << pid;
}

TEST_P(ProgramLost, WhatDiedTogetherWithTheKeeperIsReclaimed) {
  const std::string family = "sleep 1000 & echo $! > $FIFO; exec sleep 1000";
  const Record started = rig.launch_and_await(rig.shell(1, family));
  const std::vector<pid_t> pids{started.pid, rig.pid_line()};
  const pid_t shim = rig.shim_of(1);
  const pid_t keeper = rig.keeper_pid;
  ASSERT_EQ(::kill(keeper, SIGKILL), 0);
  ASSERT_EQ(::kill(shim, SIGKILL), 0);
  ASSERT_TRUE(rig.await_end_of_link());
  ASSERT_TRUE(wait_gone(shim));
  EXPECT_TRUE(wait_gone(started.pid)) << "a main process ends with its shim, with nobody there to see to it";
  rig.start_keeper();
  ASSERT_TRUE(rig.list());
  EXPECT_EQ(rig.records.count(1), 0U);
  rig.reclaim(started);
  const Record lost = rig.await(1, Phase::lost);
  EXPECT_EQ(lost.phase, Phase::lost);
  EXPECT_EQ(lost.incarnation, 1U);
  for (const pid_t pid : pids) EXPECT_TRUE(is_gone(pid)) << pid;
  EXPECT_EQ(rig.launch_and_await(rig.shell(1, "exec sleep 1000", 2)).phase, Phase::running);
}

TEST_P(ProgramLost, AReclaimedServiceThatLivesIsNotTouched) {
  const Record started = rig.launch_and_await(rig.shell(1, "exec sleep 1000"));
  rig.reclaim(started);
  ASSERT_TRUE(rig.list());
  EXPECT_EQ(rig.records[1].phase, Phase::running);
  EXPECT_FALSE(is_gone(started.pid));
}

TEST_P(ProgramLost, AReclaimNeverKillsAnotherProcessOfThatPid) {
  const Record other = rig.launch_and_await(rig.shell(2, "exec sleep 1000"));
  Record claimed = other;
  claimed.serial = 1;
  claimed.start_ticks -= 1;  // as if the pid had been given to somebody else since
  claimed.output_pipe = 0;
  rig.reclaim(claimed);
  EXPECT_EQ(rig.await(1, Phase::lost).phase, Phase::lost);
  EXPECT_FALSE(is_gone(other.pid));
}

}  // namespace
}  // namespace azora::keeper
