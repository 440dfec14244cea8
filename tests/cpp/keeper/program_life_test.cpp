// Starts, exits, stops and kills of services by the real program, with and without cgroups.
#include <gtest/gtest.h>
#include <signal.h>

#include "keeper/program_rig.hpp"

namespace azora::keeper {
namespace {

class ProgramLife : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override { rig.start_keeper(); }
  ProgramRig rig{{.cgroup = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(Cgroup, ProgramLife, testing::Values(true, false),
                         [](const auto& test) { return test.param ? "with" : "without"; });

TEST_P(ProgramLife, StartsAndReportsItsExitCode) {
  const Record started = rig.launch_and_await(rig.shell(1, "echo $$ > $FIFO; exec sleep 1000"));
  EXPECT_EQ(started.phase, Phase::running);
  EXPECT_EQ(started.pid, rig.pid_line());
  EXPECT_GT(started.start_ticks, 0U);
  EXPECT_GT(started.started_wall_ms, 1'600'000'000'000);
  rig.say(FrameType::kill, 1);
  EXPECT_EQ(rig.await(1, Phase::swept).exit_value, SIGKILL);
  const Record swept = rig.launch_and_await(rig.shell(1, "exit 7", 2), Phase::swept);
  EXPECT_EQ(swept.phase, Phase::swept);
  EXPECT_EQ(swept.exit_kind, ExitKind::code);
  EXPECT_EQ(swept.exit_value, 7);
  EXPECT_EQ(swept.incarnation, 2U);
  EXPECT_GE(swept.exited_wall_ms, swept.started_wall_ms);
  EXPECT_TRUE(swept.in_cgroup || swept.oom == Oom::unknown);
}

TEST_P(ProgramLife, ReportsTheSignalOfADeathNobodyAskedFor) {
  const Record swept = rig.launch_and_await(rig.shell(1, "kill -SEGV $$"), Phase::swept);
  EXPECT_EQ(swept.exit_kind, ExitKind::signal);
  EXPECT_EQ(swept.exit_value, SIGSEGV);
}

TEST_P(ProgramLife, StopsWithTheSignalAskedFor) {
  rig.launch_and_await(rig.shell(1, "trap 'exit 3' USR1; echo ready > $FIFO; while :; do sleep 0.01; done"));
  EXPECT_EQ(rig.line(), "ready");
  rig.stop(1, {.signal = SIGUSR1});
  const Record swept = rig.await(1, Phase::swept);
  EXPECT_EQ(swept.exit_kind, ExitKind::code);
  EXPECT_EQ(swept.exit_value, 3);
}

TEST_P(ProgramLife, AStoppedProcessHearsItsStopSignal) {
  // One that catches it: the kernel itself wakes what a signal is about to end.
  const Record started =
      rig.launch_and_await(rig.shell(1, "trap 'exit 4' TERM; echo ready > $FIFO; while :; do sleep 0.01; done"));
  EXPECT_EQ(rig.line(), "ready");
  ASSERT_EQ(signal_process(started.pid, SIGSTOP), 0);
  rig.stop(1);
  EXPECT_EQ(rig.await(1, Phase::swept).exit_value, 4);
}

TEST_P(ProgramLife, KillsWhatIgnoresTerm) {
  const Record started = rig.launch_and_await(rig.shell(1, "trap '' TERM; echo ready > $FIFO; while :; do sleep 1; done"));
  EXPECT_EQ(rig.line(), "ready");
  rig.stop(1);
  rig.say(FrameType::kill, 1);
  EXPECT_EQ(rig.await(1, Phase::swept).exit_value, SIGKILL);
  EXPECT_TRUE(is_gone(started.pid));
}

constexpr char kDaemons[] =
    "setsid sh -c 'echo $$ > $FIFO; exec sleep 1000' >/dev/null 2>&1 &"
    "(setsid sh -c 'echo $$ > $FIFO; trap \"\" TERM HUP INT; while :; do sleep 1000; done' >/dev/null 2>&1 &) &"
    "sleep 1000 & echo $! > $FIFO;";

TEST_P(ProgramLife, NoDescendantOutlivesAKill) {
  rig.launch_and_await(rig.shell(1, std::string(kDaemons) + "wait"));
  const std::vector<pid_t> pids{rig.pid_line(), rig.pid_line(), rig.pid_line()};
  rig.say(FrameType::kill, 1);
  EXPECT_EQ(rig.await(1, Phase::swept).phase, Phase::swept);
  for (const pid_t pid : pids) EXPECT_TRUE(is_gone(pid)) << pid;
}

TEST_P(ProgramLife, NoDescendantOutlivesAMainProcessThatEndsByItself) {
  LaunchRequest request = rig.shell(1, std::string(kDaemons) + "exec sleep 0.2");
  request.orphan_timeout_ms = 100;  // one of them ignores its stop signal
  rig.launch(request);
  const std::vector<pid_t> pids{rig.pid_line(), rig.pid_line(), rig.pid_line()};
  const Record swept = rig.await(1, Phase::swept);
  EXPECT_EQ(swept.exit_kind, ExitKind::code);
  EXPECT_EQ(swept.exit_value, 0);
  for (const pid_t pid : pids) EXPECT_TRUE(is_gone(pid)) << pid;
}

TEST_P(ProgramLife, AFamilyThatForksOnAndOnIsSwept) {
  rig.launch_and_await(rig.shell(1, "breed() { while :; do (setsid sh -c 'sleep 0.02; sleep 1000' >/dev/null 2>&1 &); done; };"
                                    "breed & breed & sleep 0.1; echo ready > $FIFO; wait"));
  EXPECT_EQ(rig.line(), "ready");
  const pid_t shim = rig.shim_of(1);
  rig.say(FrameType::kill, 1);
  EXPECT_EQ(rig.await(1, Phase::swept).phase, Phase::swept);
  for (const pid_t pid : marked_processes(rig.mark)) EXPECT_TRUE(pid == shim || pid == rig.keeper_pid) << pid;
}

// At most 64 KiB each.
TEST_P(ProgramLife, AShimIsSmall) {
  rig.launch_and_await(rig.shell(1, "echo some output; exec sleep 1000"));
  const std::string rollup = file_text("/proc/" + std::to_string(rig.shim_of(1)) + "/smaps_rollup");
  const auto at = rollup.find("Pss:");
  ASSERT_NE(at, std::string::npos);
  EXPECT_LE(std::stol(rollup.substr(at + 4)), 64) << rollup;
}

TEST_P(ProgramLife, AnOverlappingLaunchIsRefused) {
  rig.launch_and_await(rig.shell(1, "exec sleep 1000", 2));
  rig.launch(rig.shell(1, "exec sleep 1000", 3));
  ASSERT_TRUE(rig.await_frame(FrameType::refused));
  EXPECT_EQ(rig.refusals.back().code, RefusalCode::busy);
  EXPECT_EQ(rig.refusals.back().incarnation, 3U);
  rig.launch(rig.shell(1, "exec sleep 1000", 1));
  ASSERT_TRUE(rig.await_frame(FrameType::refused));
  EXPECT_EQ(rig.refusals.back().code, RefusalCode::stale);
}

TEST_P(ProgramLife, ALaunchSaidTwiceStartsOnce) {
  const Record first = rig.launch_and_await(rig.shell(1, "exec sleep 1000"));
  rig.launch(rig.shell(1, "exec sleep 1000"));
  ASSERT_TRUE(rig.await_frame(FrameType::started));
  EXPECT_EQ(rig.records[1].pid, first.pid);
}

TEST_P(ProgramLife, CommandsAboutAnotherIncarnationDoNothing) {
  const Record started = rig.launch_and_await(rig.shell(1, "exec sleep 1000", 5));
  rig.say(FrameType::kill, 1, 4);
  rig.stop(1, {.signal = SIGKILL}, 4);
  rig.say(FrameType::kill, 77, 1);
  ASSERT_TRUE(rig.list());
  EXPECT_EQ(rig.records[1].phase, Phase::running);
  EXPECT_FALSE(is_gone(started.pid));
}

TEST_P(ProgramLife, AnAcknowledgedEndIsIdle) {
  rig.launch_and_await(rig.shell(1, "exit 1"), Phase::swept);
  ASSERT_TRUE(rig.list());
  EXPECT_EQ(rig.records[1].phase, Phase::swept);
  rig.say(FrameType::ack, 1);
  ASSERT_TRUE(rig.list());
  EXPECT_EQ(rig.records[1].phase, Phase::idle);
}

TEST_P(ProgramLife, ForgetEndsShimAndRemovesLogs) {
  const Record started = rig.launch_and_await(rig.shell(1, "echo hello; exec sleep 1000"));
  const pid_t shim = rig.shim_of(1);
  ASSERT_GT(shim, 1);
  rig.say(FrameType::forget, 1);
  EXPECT_TRUE(wait_gone(started.pid));
  EXPECT_TRUE(wait_gone(shim));
  ASSERT_TRUE(rig.list());
  EXPECT_FALSE(std::filesystem::exists(rig.folder(1)));
}

TEST_P(ProgramLife, GoodbyeStopsAllAndLeavesNothing) {
  for (std::uint64_t serial = 1; serial <= 5; ++serial) rig.launch(rig.shell(serial, "exec sleep 1000"));
  for (std::uint64_t serial = 1; serial <= 5; ++serial) rig.await(serial, Phase::running);
  const pid_t keeper = rig.keeper_pid;
  rig.say(FrameType::goodbye);
  EXPECT_TRUE(rig.await_frame(FrameType::ended));
  EXPECT_FALSE(std::filesystem::exists(rig.dir));
  for (const auto& [serial, record] : rig.records) {
    EXPECT_EQ(record.phase, Phase::swept) << serial;
    EXPECT_TRUE(is_gone(record.pid));
  }
  EXPECT_TRUE(rig.await_end_of_link());
  EXPECT_TRUE(wait_gone(keeper));
  EXPECT_EQ(marked_processes(rig.mark), std::vector<pid_t>{});
}

}  // namespace
}  // namespace azora::keeper
