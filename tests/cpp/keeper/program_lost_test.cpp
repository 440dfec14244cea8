// A shim is killed: its service goes with it, nothing below survives, and it is reported.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "keeper/program_rig.hpp"

namespace azora::keeper {
namespace {

constexpr char kFamily[] =
    "setsid sh -c 'echo $$ > $FIFO; exec sleep 1000' >/dev/null 2>&1 &"
    "sleep 1000 & echo $! > $FIFO; exec sleep 1000";

class ProgramLost : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override { rig.start_keeper(); }
  // As the client does: in the record and in the environment.
  void name(LaunchRequest* request, const std::string& id) const {
    request->id = id;
    request->env_after = {kIdVariable + id, kFleetVariable + rig.mark};
  }
  ProgramRig rig{{.cgroup = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(Cgroup, ProgramLost, testing::Values(true, false),
                         [](const auto& test) { return test.param ? "with" : "without"; });

TEST_P(ProgramLost, NoDescendantSurvivesAKilledShim) {
  const Record started = rig.launch_and_await(rig.shell(1, kFamily));
  const Record other = rig.launch_and_await(rig.shell(2, "exec sleep 1000"));
  const std::vector<pid_t> pids{started.pid, rig.pid_line(), rig.pid_line()};
  ASSERT_EQ(signal_process(rig.shim_of(1), SIGKILL), 0);
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
  for (const pid_t shim : shims) ASSERT_EQ(signal_process(shim, SIGKILL), 0);
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
  ASSERT_EQ(signal_process(rig.keeper_pid, SIGKILL), 0);
  ASSERT_TRUE(rig.await_end_of_link());
  rig.start_keeper();
  ASSERT_TRUE(rig.list());
  rig.await(1, Phase::running);
  ASSERT_EQ(signal_process(shim, SIGKILL), 0);
  EXPECT_EQ(rig.await(1, Phase::lost).phase, Phase::lost);
  for (const pid_t pid : pids) EXPECT_TRUE(is_gone(pid)) << pid;
}

TEST_P(ProgramLost, ACgroupFindsWhatLeftSessionAndOutput) {
  const Record started = rig.launch_and_await(rig.shell(1, kFamily));
  const std::vector<pid_t> pids{started.pid, rig.pid_line(), rig.pid_line()};
  EXPECT_TRUE(GetParam() || !started.in_cgroup);
  if (!started.in_cgroup) GTEST_SKIP() << "needs a cgroup that may be written";
  const pid_t shim = rig.shim_of(1);
  ASSERT_EQ(signal_process(rig.keeper_pid, SIGKILL), 0);
  ASSERT_TRUE(rig.await_end_of_link());
  ASSERT_EQ(signal_process(shim, SIGKILL), 0);
  ASSERT_TRUE(wait_gone(shim));
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
  ASSERT_EQ(signal_process(keeper, SIGKILL), 0);
  ASSERT_EQ(signal_process(shim, SIGKILL), 0);
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

// The id and the fleet in its environment are what is left of its origin.
TEST_P(ProgramLost, NothingSurvivesTheDeathOfKeeperAndShimTogether) {
  LaunchRequest request = rig.shell(1, kFamily);
  name(&request, "orders");
  const Record started = rig.launch_and_await(request);
  const std::vector<pid_t> pids{started.pid, rig.pid_line(), rig.pid_line()};
  LaunchRequest other = rig.shell(2, "exec sleep 1000");
  name(&other, "orders2");
  const Record alive = rig.launch_and_await(other);
  const pid_t shim = rig.shim_of(1);
  ASSERT_EQ(signal_process(rig.keeper_pid, SIGKILL), 0);
  ASSERT_EQ(signal_process(shim, SIGKILL), 0);
  ASSERT_TRUE(wait_gone(shim));
  ASSERT_TRUE(rig.await_end_of_link());
  rig.start_keeper();
  rig.reclaim(started);
  EXPECT_EQ(rig.await(1, Phase::lost).phase, Phase::lost);
  for (const pid_t pid : pids) EXPECT_TRUE(is_gone(pid)) << pid;
  EXPECT_FALSE(is_gone(alive.pid));
}

// A process that is not of this fleet, with what is given in its environment.
class Stranger {
 public:
  explicit Stranger(std::vector<std::string> environment) {
    std::vector<char*> variables;
    for (std::string& one : environment) variables.push_back(one.data());
    variables.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::setsid();
      ::execle("/bin/sleep", "sleep", "1000", nullptr, variables.data());
      ::_exit(127);
    }
  }
  ~Stranger() {
    signal_process(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;
  bool has_ended() const { return ::waitpid(pid_, nullptr, WNOHANG) != 0; }
  // Its environment can be read from then on.
  bool await_exec() const {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    const std::string comm = "/proc/" + std::to_string(pid_) + "/comm";
    std::string name;
    while (name != "sleep" && std::chrono::steady_clock::now() < until) {
      std::ifstream file(comm);
      std::getline(file, name);
    }
    return name == "sleep";
  }

 private:
  pid_t pid_ = 0;
};

TEST_P(ProgramLost, AServiceOfThatIdInAnotherFleetIsNotTouched) {
  const Stranger stranger({std::string(kIdVariable) + "orders", std::string(kFleetVariable) + "another"});
  ASSERT_TRUE(stranger.await_exec());
  Record claimed{.serial = 1, .incarnation = 1, .phase = Phase::launching};
  set_id(&claimed, {"orders", 6});
  rig.reclaim(claimed);
  EXPECT_EQ(rig.await(1, Phase::lost).phase, Phase::lost);
  EXPECT_FALSE(stranger.has_ended());
}

// Of an orchestrator that knows no more than the id.
TEST_P(ProgramLost, TheIdAloneIsEnoughToReclaim) {
  LaunchRequest request = rig.shell(1, kFamily);
  name(&request, "orders");
  const Record started = rig.launch_and_await(request);
  const std::vector<pid_t> pids{started.pid, rig.pid_line(), rig.pid_line()};
  const pid_t shim = rig.shim_of(1);
  ASSERT_EQ(signal_process(rig.keeper_pid, SIGKILL), 0);
  ASSERT_EQ(signal_process(shim, SIGKILL), 0);
  ASSERT_TRUE(wait_gone(shim));
  ASSERT_TRUE(rig.await_end_of_link());
  rig.start_keeper();
  Record claimed{.serial = 1, .incarnation = 1, .phase = Phase::launching};
  set_id(&claimed, {"orders", 6});
  rig.reclaim(claimed);
  EXPECT_EQ(rig.await(1, Phase::lost).phase, Phase::lost);
  for (const pid_t pid : pids) EXPECT_TRUE(is_gone(pid)) << pid;
}

// A process that cannot be killed for now: SIGKILL waits until its cgroup is thawed.
class Freezer {
 public:
  Freezer() : path_("/sys/fs/cgroup/freezer/azora-test-" + std::to_string(::getpid())) {
    std::error_code ignored;
    std::filesystem::create_directory(path_, ignored);
  }
  ~Freezer() {
    set("THAWED");
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  bool freeze(pid_t pid) {
    std::ofstream(path_ / "cgroup.procs") << pid << std::flush;
    return set("FROZEN");
  }
  bool set(const std::string& state) { return static_cast<bool>(std::ofstream(path_ / "freezer.state") << state << std::flush); }

 private:
  std::filesystem::path path_;
};

TEST_P(ProgramLost, AnOrphanThatStaysHoldsUpItsOwnServiceAlone) {
  Freezer freezer;
  LaunchRequest stuck = rig.shell(1, "sleep 1000 & echo $! > $FIFO; exec sleep 1000");
  name(&stuck, "stuck");
  rig.launch_and_await(stuck);
  const pid_t orphan = rig.pid_line();
  LaunchRequest free = rig.shell(2, kFamily);
  name(&free, "free");
  const Record other = rig.launch_and_await(free);
  const std::vector<pid_t> pids{other.pid, rig.pid_line(), rig.pid_line()};
  if (!freezer.freeze(orphan)) GTEST_SKIP() << "needs a freezer cgroup that may be written";
  const std::vector<pid_t> shims{rig.shim_of(1), rig.shim_of(2)};
  for (const pid_t shim : shims) ASSERT_EQ(signal_process(shim, SIGKILL), 0);
  EXPECT_EQ(rig.await(2, Phase::lost).phase, Phase::lost);
  for (const pid_t pid : pids) EXPECT_TRUE(is_gone(pid)) << pid;
  EXPECT_FALSE(is_gone(orphan));
  ASSERT_TRUE(rig.list());
  EXPECT_NE(rig.records[1].phase, Phase::lost);
  ASSERT_TRUE(freezer.set("THAWED"));
  EXPECT_EQ(rig.await(1, Phase::lost).phase, Phase::lost);
  EXPECT_TRUE(is_gone(orphan));
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
  claimed.start_ticks -= 1;  // as if the pid had been given to another process since
  claimed.output_pipe = 0;
  rig.reclaim(claimed);
  EXPECT_EQ(rig.await(1, Phase::lost).phase, Phase::lost);
  EXPECT_FALSE(is_gone(other.pid));
}

}  // namespace
}  // namespace azora::keeper
