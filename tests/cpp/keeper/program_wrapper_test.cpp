// R53: a stop reaches the program behind a wrapper, by the real program, with and without cgroups.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "keeper/program_rig.hpp"

namespace azora::keeper {
namespace {

class ProgramWrapper : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    make_fifo(gate);
    gate_fd.reset(::open(gate.c_str(), O_RDWR | O_CLOEXEC));  // both ends: no open of it waits
    rig.start_keeper();
  }
  LaunchRequest shell(const std::string& script, std::uint64_t serial = 1) const {
    LaunchRequest request = rig.shell(serial, script);
    request.env_before.push_back("GATE=" + gate.string());
    return request;
  }
  void open_gate() const { ASSERT_EQ(::write(gate_fd.get(), "go\n", 3), 3); }
  std::vector<std::string> lines(int count) {
    std::vector<std::string> all;
    for (int i = 0; i < count; ++i) all.push_back(rig.line());
    return all;
  }
  ProgramRig rig{{.cgroup = GetParam()}};
  std::filesystem::path gate = rig.dir.parent_path() / "gate";
  TestFd gate_fd;
};
INSTANTIATE_TEST_SUITE_P(Cgroup, ProgramWrapper, testing::Values(true, false),
                         [](const auto& test) { return test.param ? "with" : "without"; });

// A program that does `on_term` when it is told to stop; it says when it is there.
std::string program(const std::string& on_term) {
  return "sh -c 'trap \"" + on_term + "\" TERM; echo ready > $FIFO; while :; do sleep 0.01; done'";
}
const std::string kWorker = program("echo stopped > $FIFO; exit 0");
const std::string kDeaf = program("");

using Lines = std::vector<std::string>;

TEST_P(ProgramWrapper, Rule53StopReachesTheProgramBehindAShell) {
  rig.launch_and_await(shell(kWorker + "; true"));
  EXPECT_EQ(rig.line(), "ready");
  rig.stop(1);
  EXPECT_EQ(rig.line(), "stopped");
  const Record swept = rig.await(1, Phase::swept);
  EXPECT_EQ(swept.exit_kind, ExitKind::signal);
  EXPECT_EQ(swept.exit_value, SIGTERM);
}

TEST_P(ProgramWrapper, Rule53TheSignalIsTheOneThatWasOrdered) {
  rig.launch_and_await(shell("sh -c 'trap \"echo usr1 > $FIFO; exit 0\" USR1; echo ready > $FIFO; while :; do sleep 0.01; done'; true"));
  EXPECT_EQ(rig.line(), "ready");
  rig.stop(1, {.signal = SIGUSR1});
  EXPECT_EQ(rig.line(), "usr1");
  EXPECT_EQ(rig.await(1, Phase::swept).exit_value, SIGUSR1);
}

TEST_P(ProgramWrapper, Rule53DetachedDescendantsHearIt) {
  rig.launch_and_await(shell("(setsid " + kWorker + " >/dev/null 2>&1 &) & setsid " + kWorker + " & (" + kWorker + " &) & wait; sleep 1000"));
  EXPECT_EQ(lines(3), (Lines{"ready", "ready", "ready"}));
  rig.stop(1);
  EXPECT_EQ(lines(3), (Lines{"stopped", "stopped", "stopped"}));
  EXPECT_EQ(rig.await(1, Phase::swept).phase, Phase::swept);
}

TEST_P(ProgramWrapper, Rule53AWorkerThatDrainsIsWaitedFor) {
  rig.launch_and_await(shell(program("echo draining > $FIFO; read go < $GATE; echo drained > $FIFO; exit 0") + " & wait"));
  EXPECT_EQ(rig.line(), "ready");
  rig.stop(1, {.timeout_ms = 60'000});
  EXPECT_EQ(rig.line(), "draining");
  EXPECT_EQ(rig.await(1, Phase::exited).phase, Phase::exited);
  rig.launch(rig.shell(1, "exit 0", 2));
  ASSERT_TRUE(rig.await_frame(FrameType::refused)) << "nothing starts beside it";
  EXPECT_EQ(rig.refusals.back().code, RefusalCode::busy);
  open_gate();
  EXPECT_EQ(rig.line(), "drained");
  EXPECT_EQ(rig.await(1, Phase::swept).phase, Phase::swept);
}

TEST_P(ProgramWrapper, Rule53WhatIgnoresTheSignalIsKilledWhenStopTimeoutIsOver) {
  rig.launch_and_await(shell(kDeaf + " & wait"));
  EXPECT_EQ(rig.line(), "ready");
  rig.stop(1, {.timeout_ms = 100});
  EXPECT_EQ(rig.await(1, Phase::swept).exit_value, SIGTERM);
}

TEST_P(ProgramWrapper, Rule53AMainThatIgnoresItIsKilledWithTheRest) {
  rig.launch_and_await(shell("trap '' TERM; " + kWorker + " & while :; do sleep 1; done"));
  EXPECT_EQ(rig.line(), "ready");
  rig.stop(1, {.timeout_ms = 100});
  EXPECT_EQ(rig.await(1, Phase::swept).exit_value, SIGKILL);
}

TEST_P(ProgramWrapper, Rule53TheOthersHearNothingAsLongAsMainLives) {
  rig.launch_and_await(shell("trap 'echo main > $FIFO; read go < $GATE; echo leaving > $FIFO; exit 0' TERM; " + kWorker +
                             " & while :; do sleep 0.01; done"));
  EXPECT_EQ(rig.line(), "ready");
  rig.stop(1);
  EXPECT_EQ(rig.line(), "main");
  open_gate();
  EXPECT_EQ(lines(2), (Lines{"leaving", "stopped"}));
  EXPECT_EQ(rig.await(1, Phase::swept).exit_value, 0);
}

TEST_P(ProgramWrapper, Rule53TreeSignalsAllAtOnce) {
  rig.launch_and_await(shell("trap 'echo main > $FIFO; read go < $GATE; exit 0' TERM; " + kWorker + " & (setsid " + kWorker +
                             " &) & while :; do sleep 0.01; done"));
  EXPECT_EQ(lines(2), (Lines{"ready", "ready"}));
  rig.stop(1, {.tree = true});
  Lines heard = lines(3);
  std::sort(heard.begin(), heard.end());
  EXPECT_EQ(heard, (Lines{"main", "stopped", "stopped"}));
  open_gate();
  EXPECT_EQ(rig.await(1, Phase::swept).exit_value, 0);
}

// It may be said again over a new link; some programs take a second signal for impatience.
TEST_P(ProgramWrapper, Rule53NoProcessGetsTheSignalTwice) {
  const std::string counts = program("echo heard > $FIFO");
  for (const bool tree : {false, true}) {
    LaunchRequest request = shell(counts + " & " + counts + "; true");
    request.incarnation = tree ? 2 : 1;
    rig.launch_and_await(request);
    EXPECT_EQ(lines(2), (Lines{"ready", "ready"}));
    rig.stop(1, {.timeout_ms = 60'000, .tree = tree}, request.incarnation);
    EXPECT_EQ(lines(2), (Lines{"heard", "heard"}));
    EXPECT_EQ(rig.await(1, Phase::exited, request.incarnation).exit_value, SIGTERM);
    rig.stop(1, {.timeout_ms = 200, .tree = tree}, request.incarnation);
    EXPECT_EQ(rig.await(1, Phase::swept, request.incarnation).phase, Phase::swept);
  }
  rig.launch_and_await(shell("echo end > $FIFO; exec sleep 1000", 2));
  EXPECT_EQ(rig.line(), "end");
}

TEST_P(ProgramWrapper, Rule53AStoppedDescendantHearsIt) {
  rig.launch_and_await(shell("sh -c 'trap \"echo stopped > $FIFO; exit 0\" TERM; echo $$ > $FIFO; while :; do sleep 0.01; done' & wait"));
  ASSERT_EQ(signal_process(rig.pid_line(), SIGSTOP), 0);
  rig.stop(1);
  EXPECT_EQ(rig.line(), "stopped");
}

TEST_P(ProgramWrapper, Rule53WhatACrashLeavesHearsTheStopSignal) {
  const Record started = rig.launch_and_await(shell(kWorker + " & wait"));
  EXPECT_EQ(rig.line(), "ready");
  ASSERT_EQ(signal_process(started.pid, SIGKILL), 0);
  EXPECT_EQ(rig.line(), "stopped");
  const Record swept = rig.await(1, Phase::swept);
  EXPECT_EQ(swept.exit_value, SIGKILL);
  EXPECT_FALSE(swept.stop_asked);
}

TEST_P(ProgramWrapper, Rule53WhatACrashLeavesIsKilledAfterOrphanTimeout) {
  for (const std::uint32_t timeout : {50U, 0U}) {
    LaunchRequest request = shell(kDeaf + " & read go < $GATE; exit 3");
    request.orphan_timeout_ms = timeout;
    request.incarnation = timeout == 0 ? 2 : 1;
    rig.launch_and_await(request);
    EXPECT_EQ(rig.line(), "ready");
    open_gate();
    EXPECT_EQ(rig.await(1, Phase::swept, request.incarnation).exit_value, 3);
  }
}

TEST_P(ProgramWrapper, Rule53AKillEndsTheTimeThatIsLeft) {
  LaunchRequest request = shell(kDeaf + " & read go < $GATE; exit 3");
  request.orphan_timeout_ms = 3'600'000;
  rig.launch_and_await(request);
  EXPECT_EQ(rig.line(), "ready");
  open_gate();
  EXPECT_EQ(rig.await(1, Phase::exited).phase, Phase::exited);
  rig.say(FrameType::kill, 1);
  EXPECT_EQ(rig.await(1, Phase::swept).exit_value, 3);
}

TEST_P(ProgramWrapper, Rule53AFamilyThatForksOnIsSweptAfterAStop) {
  rig.launch_and_await(shell("breed() { while :; do (setsid sh -c 'sleep 0.02; sleep 1000' >/dev/null 2>&1 &); done; };"
                             "(trap \"\" TERM; breed) & sleep 0.1; echo ready > $FIFO; wait"));
  EXPECT_EQ(rig.line(), "ready");
  rig.stop(1, {.timeout_ms = 200});
  EXPECT_EQ(rig.await(1, Phase::swept).exit_value, SIGTERM);
}

TEST_P(ProgramWrapper, Rule53AnotherServiceHearsNothing) {
  rig.launch_and_await(shell(program("echo wrong > $FIFO") + " & read go < $GATE; echo end > $FIFO; exec sleep 1000", 2));
  rig.launch_and_await(shell(kWorker + " & wait"));
  EXPECT_EQ(lines(2), (Lines{"ready", "ready"}));
  rig.stop(1, {.tree = true});
  EXPECT_EQ(rig.line(), "stopped");
  EXPECT_EQ(rig.await(1, Phase::swept).phase, Phase::swept);
  open_gate();
  EXPECT_EQ(rig.line(), "end");
}

// What of R61 a shim can say: which process was left, where main ended with 0 by itself right after its start.
TEST_P(ProgramWrapper, Rule61AProgramThatGoesIntoTheBackgroundIsRecognised) {
  rig.launch(shell("(setsid sh -c 'echo $$ > $FIFO; exec sleep 1000' &); read go < $GATE; exit 0"));
  const pid_t left = rig.pid_line();
  open_gate();
  EXPECT_EQ(rig.await(1, Phase::exited).left_pid, left);
  EXPECT_EQ(rig.await(1, Phase::swept).left_pid, left);
}

// As daemons have always done: each that is left forks and ends, while the one before is being looked for.
TEST_P(ProgramWrapper, Rule61AChainOfForksIsRecognised) {
  std::string chain = "exec sleep 1000";
  for (int forks = 0; forks < 12; ++forks) chain = "(" + chain + ") & exit 0";
  for (std::uint64_t run = 1; run <= 40; ++run) {
    LaunchRequest request = shell(chain);
    request.incarnation = run;
    request.orphan_timeout_ms = 0;
    EXPECT_GT(rig.launch_and_await(request, Phase::swept).left_pid, 0) << run;
  }
}

TEST_P(ProgramWrapper, Rule61OtherEndsAreNoGoingIntoTheBackground) {
  const std::string leaves = "sleep 1000 & ";
  EXPECT_EQ(rig.launch_and_await(shell(leaves + "exit 3", 1), Phase::swept).left_pid, 0);
  EXPECT_EQ(rig.launch_and_await(shell(leaves + "kill -9 $$", 2), Phase::swept).left_pid, 0);
  EXPECT_EQ(rig.launch_and_await(shell("exit 0", 3), Phase::swept).left_pid, 0);
  rig.launch_and_await(shell(leaves + "trap 'exit 0' TERM; echo ready > $FIFO; while :; do sleep 0.01; done", 4));
  EXPECT_EQ(rig.line(), "ready");
  rig.stop(4);
  const Record stopped = rig.await(4, Phase::swept);
  EXPECT_EQ(stopped.exit_value, 0);
  EXPECT_EQ(stopped.left_pid, 0);
}

TEST_P(ProgramWrapper, Rule53TheEndOfTheOrchestratorReachesTheProgramToo) {
  rig.launch_and_await(shell(kWorker + "; true"));
  EXPECT_EQ(rig.line(), "ready");
  rig.end_orchestrator();
  EXPECT_EQ(rig.line(), "stopped");
}

}  // namespace
}  // namespace azora::keeper
