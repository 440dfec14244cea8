// The orchestrator dies in some way: what an ephemeral and a durable fleet make of it.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper/program_rig.hpp"

namespace azora::keeper {
namespace {

void expect_nothing_left(const ProgramRig& rig) {
  for (const pid_t pid : marked_processes(rig.mark)) EXPECT_TRUE(wait_gone(pid)) << pid;
  EXPECT_FALSE(std::filesystem::exists(rig.dir));
}

class ProgramEnd : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override { rig.start_keeper(); }
  ProgramRig rig{{.cgroup = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(Cgroup, ProgramEnd, testing::Values(true, false),
                         [](const auto& test) { return test.param ? "with" : "without"; });

TEST_P(ProgramEnd, NothingOutlivesTheOrchestrator) {
  for (std::uint64_t serial = 1; serial <= 3; ++serial) {
    rig.launch_and_await(rig.shell(serial, "setsid sleep 1000 >/dev/null 2>&1 & echo $! > $FIFO; exec sleep 1000"));
    rig.line();
  }
  const pid_t keeper = rig.keeper_pid;
  rig.end_orchestrator();
  EXPECT_TRUE(wait_gone(keeper));
  expect_nothing_left(rig);
}

TEST_P(ProgramEnd, WhatIgnoresTheStopSignalIsKilledAtItsDeadline) {
  LaunchRequest request = rig.shell(1, "trap '' TERM; echo ready > $FIFO; while :; do sleep 1; done");
  request.stop.timeout_ms = 50;
  rig.launch_and_await(request);
  rig.line();
  const pid_t keeper = rig.keeper_pid;
  rig.end_orchestrator();
  EXPECT_TRUE(wait_gone(keeper));
  expect_nothing_left(rig);
}

TEST_P(ProgramEnd, ServicesHearTheirStopSignalFirst) {
  LaunchRequest request = rig.shell(1, "trap 'echo stopped > $FIFO; exit 0' INT; echo ready > $FIFO; while :; do sleep 0.01; done");
  request.stop.signal = SIGINT;
  rig.launch_and_await(request);
  EXPECT_EQ(rig.line(), "ready");
  rig.end_orchestrator();
  EXPECT_EQ(rig.line(), "stopped");
}

TEST_P(ProgramEnd, KeeperAndOrchestratorKilledTogetherLeaveNothing) {
  rig.launch_and_await(rig.shell(1, "exec sleep 1000"));
  rig.launch_and_await(rig.shell(2, "exec sleep 1000"));
  const std::vector<pid_t> shims{rig.shim_of(1), rig.shim_of(2)};
  ASSERT_EQ(signal_process(rig.keeper_pid, SIGKILL), 0);
  rig.end_orchestrator();
  for (const pid_t shim : shims) EXPECT_TRUE(wait_gone(shim));
  expect_nothing_left(rig);
}

TEST_P(ProgramEnd, AStuckKeeperKeepsNothingAlive) {
  const Record started = rig.launch_and_await(rig.shell(1, "exec sleep 1000"));
  const pid_t keeper = rig.keeper_pid;
  ASSERT_EQ(signal_process(keeper, SIGSTOP), 0);
  rig.end_orchestrator();
  EXPECT_TRUE(wait_gone(started.pid));
  ASSERT_EQ(signal_process(keeper, SIGCONT), 0);
  EXPECT_TRUE(wait_gone(keeper));
  expect_nothing_left(rig);
}

// As in production: a pidfd, and a link that stays open in a process forked from the orchestrator.
TEST(ProgramEndByPidfd, AKilledOrchestratorIsNoticedWhoeverHoldsTheLink) {
  const pid_t orchestrator = ::fork();
  if (orchestrator == 0) {
    for (;;) ::pause();
  }
  const TestFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, orchestrator, 0)));
  ASSERT_GE(pidfd.get(), 0);
  ProgramRig rig({.orchestrator_fd = pidfd.get()});
  rig.start_keeper();
  rig.launch_and_await(rig.shell(1, "exec sleep 1000"));
  const pid_t keeper = rig.keeper_pid;
  ASSERT_EQ(signal_process(orchestrator, SIGKILL), 0);
  EXPECT_TRUE(wait_gone(keeper));
  expect_nothing_left(rig);
  ::waitpid(orchestrator, nullptr, 0);
}

TEST(ProgramEndDurable, ServicesGoOnAndTheNextOrchestratorFindsThem) {
  pid_t shim = 0;
  Record started;
  ProgramRig rig({.ephemeral = false});
  rig.start_keeper();
  started = rig.launch_and_await(rig.shell(1, "exec sleep 1000"));
  shim = rig.shim_of(1);
  const pid_t first_keeper = rig.keeper_pid;
  rig.end_orchestrator();
  EXPECT_TRUE(wait_gone(first_keeper));
  EXPECT_FALSE(is_gone(started.pid));
  EXPECT_FALSE(is_gone(shim));

  rig.begin_orchestrator();
  rig.start_keeper();
  ASSERT_TRUE(rig.list());
  EXPECT_EQ(rig.await(1, Phase::running).pid, started.pid);
  rig.say(FrameType::goodbye);
  EXPECT_TRUE(rig.await_frame(FrameType::ended));
  EXPECT_TRUE(is_gone(started.pid));
  EXPECT_TRUE(std::filesystem::exists(rig.dir));
}

}  // namespace
}  // namespace azora::keeper
