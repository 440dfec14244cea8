// The keeper dies, services do not notice, and the next keeper knows all.
#include <gtest/gtest.h>
#include <signal.h>

#include "keeper/program_rig.hpp"

namespace azora::keeper {
namespace {

class ProgramAttach : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override { rig.start_keeper(); }
  void kill_keeper() {
    const pid_t keeper = rig.keeper_pid;
    ASSERT_EQ(signal_process(keeper, SIGKILL), 0);
    ASSERT_TRUE(rig.await_end_of_link());
    ASSERT_TRUE(wait_gone(keeper));
  }
  void replace_keeper() {
    rig.start_keeper();
    ASSERT_TRUE(rig.list());
  }
  ProgramRig rig{{.cgroup = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(Cgroup, ProgramAttach, testing::Values(true, false),
                         [](const auto& test) { return test.param ? "with" : "without"; });

TEST_P(ProgramAttach, ServicesLiveOnAndAreFoundAgain) {
  constexpr std::uint64_t kServices = 20;
  std::map<std::uint64_t, Record> before;
  for (std::uint64_t serial = 1; serial <= kServices; ++serial) rig.launch(rig.shell(serial, "exec sleep 1000"));
  for (std::uint64_t serial = 1; serial <= kServices; ++serial) before[serial] = rig.await(serial, Phase::running);
  kill_keeper();
  replace_keeper();
  for (std::uint64_t serial = 1; serial <= kServices; ++serial) {
    const Record now = rig.await(serial, Phase::running);
    EXPECT_EQ(now.phase, Phase::running);
    EXPECT_EQ(now.pid, before[serial].pid);
    EXPECT_EQ(now.start_ticks, before[serial].start_ticks);
  }
  EXPECT_EQ(rig.records.size(), kServices);
}

TEST_P(ProgramAttach, ExitsInBetweenKeepTheirCodes) {
  std::vector<pid_t> pids;
  for (std::uint64_t serial = 1; serial <= 8; ++serial) {
    const std::string script = "read -r line < $GATE; exit " + std::to_string(20 + serial);
    LaunchRequest request = rig.shell(serial, script);
    const std::string gate = (rig.dir.parent_path() / ("gate" + std::to_string(serial))).string();
    make_fifo(gate);
    request.env_after = {"GATE=" + gate};
    pids.push_back(rig.launch_and_await(request).pid);
  }
  kill_keeper();
  for (std::uint64_t serial = 1; serial <= 8; ++serial) {
    write_line(rig.dir.parent_path() / ("gate" + std::to_string(serial)), "go");
    EXPECT_TRUE(wait_gone(pids[serial - 1]));
  }
  replace_keeper();
  for (std::uint64_t serial = 1; serial <= 8; ++serial) {
    const Record swept = rig.await(serial, Phase::swept);
    EXPECT_EQ(swept.phase, Phase::swept);
    EXPECT_EQ(swept.exit_kind, ExitKind::code);
    EXPECT_EQ(swept.exit_value, 20 + static_cast<int>(serial));
  }
}

TEST_P(ProgramAttach, AfterAReplacementAllWorksAsBefore) {
  rig.launch_and_await(rig.shell(1, "setsid sleep 1000 >/dev/null 2>&1 & echo $! > $FIFO; exec sleep 1000"));
  const pid_t descendant = rig.pid_line();
  kill_keeper();
  replace_keeper();
  rig.await(1, Phase::running);
  rig.say(FrameType::kill, 1);
  EXPECT_EQ(rig.await(1, Phase::swept).exit_value, SIGKILL);
  EXPECT_TRUE(is_gone(descendant));
  rig.say(FrameType::ack, 1);
  EXPECT_EQ(rig.launch_and_await(rig.shell(1, "exec sleep 1000", 2)).phase, Phase::running);
  rig.launch_and_await(rig.shell(2, "exec sleep 1000"));
  const pid_t keeper = rig.keeper_pid;
  rig.say(FrameType::goodbye);
  EXPECT_TRUE(rig.await_frame(FrameType::ended));
  EXPECT_TRUE(wait_gone(keeper));
  EXPECT_FALSE(std::filesystem::exists(rig.dir));
}

TEST_P(ProgramAttach, AKeeperThatIsAskedToEndLeavesTheServicesAlone) {
  const Record started = rig.launch_and_await(rig.shell(1, "exec sleep 1000"));
  const pid_t keeper = rig.keeper_pid;
  ASSERT_EQ(signal_process(keeper, SIGTERM), 0);
  ASSERT_TRUE(rig.await_end_of_link());
  ASSERT_TRUE(wait_gone(keeper));
  replace_keeper();
  EXPECT_EQ(rig.await(1, Phase::running).pid, started.pid);
}

TEST_P(ProgramAttach, AShimThatIsAskedToEndStopsItsServiceAndSaysHow) {
  rig.launch_and_await(rig.shell(1, "trap 'exit 5' TERM; echo ready > $FIFO; while :; do sleep 0.01; done"));
  EXPECT_EQ(rig.line(), "ready");
  const pid_t shim = rig.shim_of(1);
  ASSERT_EQ(signal_process(shim, SIGTERM), 0);
  EXPECT_EQ(rig.await(1, Phase::swept).exit_value, 5);
  EXPECT_TRUE(wait_gone(shim));
  EXPECT_EQ(rig.launch_and_await(rig.shell(1, "exec sleep 1000", 2)).phase, Phase::running);
}

TEST_P(ProgramAttach, ARecordStaysUntilItIsAcknowledged) {
  rig.launch_and_await(rig.shell(1, "exit 9"), Phase::swept);
  for (int round = 0; round < 3; ++round) {
    kill_keeper();
    replace_keeper();
    EXPECT_EQ(rig.await(1, Phase::swept).exit_value, 9);
  }
  rig.say(FrameType::ack, 1);
  ASSERT_TRUE(rig.list());
  EXPECT_EQ(rig.records[1].phase, Phase::idle);
}

TEST_P(ProgramAttach, ALaterConnectionTakesOverAndAnOlderEpochIsRefused) {
  const Record started = rig.launch_and_await(rig.shell(1, "exec sleep 1000"));
  const std::uint64_t epoch = rig.epoch;
  rig.connect(epoch + 5);
  ASSERT_TRUE(rig.list());
  EXPECT_EQ(rig.records[1].pid, started.pid);
  rig.epoch = epoch;
  rig.say(FrameType::kill, 1);
  ASSERT_TRUE(rig.await_frame(FrameType::refused));
  EXPECT_EQ(rig.refusals.back().code, RefusalCode::fenced);
  EXPECT_EQ(rig.refusals.back().detail, epoch + 5);
  EXPECT_FALSE(is_gone(started.pid));
  rig.connect(epoch);
  EXPECT_TRUE(rig.await_end_of_link());
  EXPECT_EQ(rig.refusals.back().code, RefusalCode::fenced);
  EXPECT_EQ(rig.refusals.back().type, FrameType::hello);
}

// A keeper that was stopped, believed dead and succeeded wakes up: it must find out and go, touching nothing.
TEST_P(ProgramAttach, AKeeperThatWakesUpAfterItsSuccessorLeaves) {
  const Record started = rig.launch_and_await(rig.shell(1, "exec sleep 1000"));
  const pid_t old_keeper = rig.keeper_pid;
  ASSERT_EQ(signal_process(old_keeper, SIGSTOP), 0);
  replace_keeper();
  rig.await(1, Phase::running);
  EXPECT_NE(rig.keeper_pid, old_keeper);
  ASSERT_EQ(signal_process(old_keeper, SIGCONT), 0);
  EXPECT_TRUE(wait_gone(old_keeper));
  ASSERT_TRUE(rig.list());
  EXPECT_EQ(rig.records[1].phase, Phase::running);
  EXPECT_EQ(rig.records[1].pid, started.pid);
}

TEST_P(ProgramAttach, AShimThatDoesNotAnswerIsUnknownUntilItDoes) {
  const Record started = rig.launch_and_await(rig.shell(1, "exec sleep 1000"));
  const pid_t shim = rig.shim_of(1);
  ASSERT_EQ(signal_process(shim, SIGSTOP), 0);
  kill_keeper();
  replace_keeper();
  EXPECT_EQ(rig.records[1].phase, Phase::unknown);
  EXPECT_EQ(rig.records[1].incarnation, 0U);
  rig.launch(rig.shell(1, "exec sleep 1000", 2));
  ASSERT_TRUE(rig.await_frame(FrameType::refused));
  EXPECT_EQ(rig.refusals.back().code, RefusalCode::busy);
  ASSERT_EQ(signal_process(shim, SIGCONT), 0);
  EXPECT_EQ(rig.await(1, Phase::running).pid, started.pid);
}

TEST_P(ProgramAttach, AnUnknownShimThatDiesIsLostAndReclaimed) {
  const Record started = rig.launch_and_await(rig.shell(1, "exec sleep 1000"));
  const pid_t shim = rig.shim_of(1);
  ASSERT_EQ(signal_process(shim, SIGSTOP), 0);
  kill_keeper();
  replace_keeper();
  ASSERT_EQ(rig.records[1].phase, Phase::unknown);
  ASSERT_EQ(signal_process(shim, SIGKILL), 0);
  EXPECT_EQ(rig.await(1, Phase::lost, 0).phase, Phase::lost);
  rig.reclaim(started);
  EXPECT_EQ(rig.await(1, Phase::lost, 1).phase, Phase::lost);
  EXPECT_TRUE(is_gone(started.pid));
  EXPECT_EQ(rig.launch_and_await(rig.shell(1, "exec sleep 1000", 2)).phase, Phase::running);
}

TEST_P(ProgramAttach, WhatAStoppedShimIsToldItDoesLater) {
  const Record started = rig.launch_and_await(rig.shell(1, "exec sleep 1000"));
  const pid_t shim = rig.shim_of(1);
  ASSERT_EQ(signal_process(shim, SIGSTOP), 0);
  // More than its socket takes: what is owed is kept once, not queued.
  for (int i = 0; i < 2000; ++i) rig.stop(1, {.signal = SIGURG});
  rig.say(FrameType::kill, 1);
  ASSERT_TRUE(rig.list());
  EXPECT_FALSE(is_gone(started.pid));
  ASSERT_EQ(signal_process(shim, SIGCONT), 0);
  EXPECT_EQ(rig.await(1, Phase::swept).exit_value, SIGKILL);
}

TEST_P(ProgramAttach, ARecordSaysWhatTheNextOrchestratorNeedsToKnow) {
  LaunchRequest request = rig.shell(1, "trap 'exit 0' TERM; echo ready > $FIFO; while :; do sleep 0.01; done");
  request.id = "orders@1";
  request.spec_hash = 0xfedcba9876543210;
  rig.launch_and_await(request);
  EXPECT_EQ(rig.line(), "ready");
  kill_keeper();
  replace_keeper();
  Record record = rig.await(1, Phase::running);
  EXPECT_STREQ(record.id, "orders@1");
  EXPECT_EQ(record.spec_hash, 0xfedcba9876543210);
  EXPECT_FALSE(record.stop_asked);
  rig.stop(1);
  record = rig.await(1, Phase::swept);
  EXPECT_TRUE(record.stop_asked);
  rig.say(FrameType::ack, 1);
  request.incarnation = 2;
  EXPECT_FALSE(rig.launch_and_await(request).stop_asked);
}

TEST_P(ProgramAttach, AnOrchestratorOfAnotherBootIsRefused) {
  const Record started = rig.launch_and_await(rig.shell(1, "exec sleep 1000"));
  rig.connect(rig.epoch + 1, "another-boot");
  EXPECT_TRUE(rig.await_end_of_link());
  EXPECT_EQ(rig.refusals.back().code, RefusalCode::other_boot);
  EXPECT_FALSE(is_gone(started.pid));
}

// What it learns this way, it starts the next keeper with.
TEST_P(ProgramAttach, AnOrchestratorOfAnOlderEpochLearnsTheOneToExceed) {
  const Record started = rig.launch_and_await(rig.shell(1, "exec sleep 1000"));
  rig.connect(70);
  ASSERT_TRUE(rig.list());
  rig.launch_and_await(rig.shell(2, "exec sleep 1000"));  // a shim that has heard of it
  kill_keeper();
  rig.epoch = 3;
  rig.start_keeper();
  EXPECT_TRUE(rig.await_end_of_link());
  ASSERT_FALSE(rig.refusals.empty());
  EXPECT_EQ(rig.refusals.back().code, RefusalCode::fenced);
  EXPECT_EQ(rig.refusals.back().type, FrameType::hello);
  EXPECT_EQ(rig.refusals.back().detail, 70U);
  rig.epoch = 70;
  rig.start_keeper();
  ASSERT_TRUE(rig.list());
  EXPECT_EQ(rig.await(1, Phase::running).pid, started.pid);
}

TEST_P(ProgramAttach, GarbageIsRefusedAndHarmsNothing) {
  rig.launch_and_await(rig.shell(1, "exec sleep 1000"));
  std::vector<std::uint8_t> frame(kMaxSmallFrame);
  frame.resize(write_ref(frame.data(), frame.size(), FrameType::kill, {1, 1}, 1, rig.epoch));
  for (std::size_t size = 1; size < frame.size(); ++size) rig.send({frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size)});
  rig.send(std::vector<std::uint8_t>(100, 0xff));
  ASSERT_TRUE(rig.list());
  EXPECT_EQ(rig.records[1].phase, Phase::running);
  EXPECT_EQ(rig.refusals.back().code, RefusalCode::malformed);
}

}  // namespace
}  // namespace azora::keeper
