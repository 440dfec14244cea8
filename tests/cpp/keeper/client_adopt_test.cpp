// A durable fleet whose orchestrator is killed: the next client of its folder finds it, takes it over, stops it, and
// hears of what ended meanwhile exactly once until that is acknowledged.
#include <sys/prctl.h>
#include <sys/wait.h>

#include "azora/keeper/launch_hash.hpp"
#include "keeper/client_rig.hpp"

namespace azora::keeper {
namespace {

class KeeperClientAdopt : public ::testing::TestWithParam<bool> {
 protected:
  // Told before a test forks: the janitor is the parent's, and the child that is killed has none.
  KeeperClientAdopt() { clean_up_after(folder); }
  ClientRig::Setup durable(std::uint64_t epoch = 0) const {
    return {.cgroups = GetParam(), .folder = folder, .durable = true, .epoch = epoch};
  }
  std::string gate(Serial serial) const { return folder / "fleet" / ("gate" + std::to_string(serial)); }
  Launch gated(const ClientRig& rig, Serial serial) const {
    return rig.shell(serial, "while ! test -e " + gate(serial) + "; do sleep 0.02; done; exit " + std::to_string(serial));
  }
  // Services 1 to `count` of an orchestrator that is killed with SIGKILL once all have started.
  void leave_fleet(Serial count) {
    const pid_t orchestrator = ::fork();
    if (orchestrator == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // where the tests are killed
      ClientRig rig(durable());
      for (Serial serial = 1; serial <= count; ++serial) rig.start(gated(rig, serial));
      std::ofstream(folder / "up") << "";
      for (;;) ::pause();
    }
    AsioLoop loop;
    wait_until(loop, [&] { return std::filesystem::exists(folder / "up"); });
    signal_process(orchestrator, SIGKILL);
    ASSERT_EQ(::waitpid(orchestrator, nullptr, 0), orchestrator);
    std::filesystem::remove(folder / "up");
  }
  template <typename Done>
  static void wait_until(AsioLoop& loop, Done done) {
    const SteadyTime limit = loop.now().steady + std::chrono::seconds(30);
    std::function<void()> look = [&] {
      if (done() || loop.now().steady > limit) return loop.stop();
      loop.at(loop.now().steady + Millis(2), look);
    };
    loop.post(look);
    loop.run();
  }
  void open_gate(Serial serial) const { std::ofstream(gate(serial)) << ""; }
  const std::filesystem::path folder = ClientRig::new_folder();
};
INSTANTIATE_TEST_SUITE_P(Cgroup, KeeperClientAdopt, ::testing::Bool());

TEST_P(KeeperClientAdopt, AKilledOrchestratorsFleetIsFoundAdoptedAndStopped) {
  leave_fleet(3);
  ClientRig rig(durable(1));
  ASSERT_EQ(rig.marked().size() >= 3, true);
  ASSERT_TRUE(rig.client->start().ok());
  ASSERT_TRUE(rig.run_until([&] { return rig.unknown.size() == 3; }));
  for (Serial serial = 1; serial <= 3; ++serial) {
    const Record& record = rig.unknown[serial];
    EXPECT_EQ(record.phase, Phase::running);
    EXPECT_STREQ(record.id, ("s" + std::to_string(serial)).c_str());
    EXPECT_EQ(record.spec_hash, launch_hash(gated(rig, serial).spec, 0));
    EXPECT_FALSE(record.stop_asked);
    rig.client->adopt(serial, 1, "s" + std::to_string(serial));
    ASSERT_TRUE(rig.run_until_word(serial, "adopted"));
    EXPECT_EQ(rig.life(serial).record.pid, record.pid);
    EXPECT_TRUE(is_alive(record.pid));
  }
  rig.client->stop(1, 1, {.signal = SIGTERM});
  rig.client->kill(2, 1);
  ASSERT_TRUE(rig.run_until_word(1, "swept"));
  ASSERT_TRUE(rig.run_until_word(2, "swept"));
  EXPECT_EQ(rig.story(1), (Story{"adopted", "exited", "swept"}));
  EXPECT_EQ(rig.life(1).exit.signal, SIGTERM);
  EXPECT_EQ(rig.life(2).exit.signal, SIGKILL);
  // And is started again, by its own shim.
  rig.client->acknowledge(1, 1);
  open_gate(1);
  rig.client->launch([&] { Launch next = gated(rig, 1); next.incarnation = 2; return next; }());
  ASSERT_TRUE(rig.run_until_word(1, "swept", 2));
  EXPECT_EQ(rig.life(1, 2).exit.code, 1);
  EXPECT_TRUE(rig.client->stop(Millis(5'000)));
  ASSERT_TRUE(rig.run_until_word(3, "swept"));
  EXPECT_EQ(rig.life(3).exit.signal, SIGTERM);
}

TEST_P(KeeperClientAdopt, AnExitOfTheMeantimeIsToldUntilItIsAcknowledged) {
  leave_fleet(1);
  open_gate(1);
  {
    ClientRig rig(durable(1));
    rig.client->adopt(1, 1, "s1");
    ASSERT_TRUE(rig.run_until_word(1, "swept"));
    EXPECT_EQ(rig.story(1), (Story{"adopted", "exited", "swept"}));
    EXPECT_EQ(rig.life(1).exit.code, 1);
    rig.client->leave();  // before it could make that durable
    rig.left_behind = true;
  }
  {
    ClientRig rig(durable(2));
    rig.client->adopt(1, 1, "s1");
    ASSERT_TRUE(rig.run_until_word(1, "swept"));
    EXPECT_EQ(rig.story(1), (Story{"adopted", "exited", "swept"}));
    EXPECT_EQ(rig.life(1).exit.code, 1);
    rig.client->acknowledge(1, 1);
    // A later command has been carried out: the acknowledgement, too.
    rig.client->launch(rig.shell(2, "exit 0"));
    ASSERT_TRUE(rig.run_until_word(2, "swept"));
    rig.client->acknowledge(2, 1);
    rig.client->leave();
    rig.left_behind = true;
  }
  ClientRig rig(durable(3));
  ASSERT_TRUE(rig.client->start().ok());
  ASSERT_TRUE(rig.run_until([&] { return rig.unknown.contains(1); }));
  EXPECT_EQ(rig.unknown[1].phase, Phase::idle);
  rig.client->adopt(1, 1, "s1");
  ASSERT_TRUE(rig.run_until_word(1, "lost"));
  EXPECT_EQ(rig.story(1), Story{"lost"});
}

TEST_P(KeeperClientAdopt, AStopThatWasAskedForIsRemembered) {
  const Launch launch = [&] {
    Launch one = ClientRig::launch_of(1, {"/bin/sh", "-c", "trap 'sleep 0.2; exit 0' TERM; while :; do sleep 0.02; done"});
    one.spec.env.emplace_back("AZORA_TEST_MARK", folder.filename());
    return one;
  }();
  {
    ClientRig rig(durable());
    rig.start(launch);
    rig.client->stop(1, 1, {.signal = SIGTERM});
    rig.client->launch(rig.shell(2, "exit 0"));  // told behind the stop
    ASSERT_TRUE(rig.run_until_word(2, "swept"));
    rig.client->leave();
    rig.left_behind = true;
  }
  ClientRig rig(durable(1));
  rig.client->adopt(1, 1, "s1");
  ASSERT_TRUE(rig.run_until_word(1, "adopted"));
  EXPECT_TRUE(rig.life(1).record.stop_asked);
  rig.client->kill(1, 1);
  ASSERT_TRUE(rig.run_until_word(1, "swept"));
}

TEST_P(KeeperClientAdopt, AnEpochThatIsTooLowIsLearnedFromTheRefusal) {
  leave_fleet(1);
  for (std::uint64_t epoch : {std::uint64_t{7}, std::uint64_t{0}}) {
    ClientRig rig(durable(epoch));
    rig.client->adopt(1, 1, "s1");
    ASSERT_TRUE(rig.run_until_word(1, "adopted"));
    rig.client->launch(rig.shell(2, "exit 0", epoch == 0 ? 2 : 1));  // does not suffer from the first, refused try
    ASSERT_TRUE(rig.run_until_word(2, "swept", epoch == 0 ? 2 : 1));
    EXPECT_TRUE(rig.has(2, "started", epoch == 0 ? 2 : 1)) << rig.life(2, epoch == 0 ? 2 : 1).reason;
    EXPECT_GT(rig.client->epoch(), epoch == 0 ? 8U : 7U);
    if (epoch == 0) break;
    rig.client->leave();
    rig.left_behind = true;
  }
}

TEST_P(KeeperClientAdopt, UnknownServicesAreLeftAloneUntilForgotten) {
  leave_fleet(2);
  ClientRig rig(durable(1));
  rig.client->adopt(1, 1, "s1");
  ASSERT_TRUE(rig.run_until_word(1, "adopted"));
  ASSERT_TRUE(rig.run_until([&] { return rig.unknown.contains(2); }));
  const pid_t pid = rig.unknown[2].pid;
  EXPECT_TRUE(is_alive(pid));
  const std::string logs = rig.client->log_folder(2).value();
  rig.client->forget(2);
  EXPECT_TRUE(rig.run_until([&] { return !is_alive(pid) && !std::filesystem::exists(logs); }));
}

TEST_P(KeeperClientAdopt, WhatWasKilledTogetherWithItsShimIsLostAndLeavesNothing) {
  leave_fleet(1);
  ClientRig before(durable(1));
  ASSERT_TRUE(before.client->start().ok());
  ASSERT_TRUE(before.run_until([&] { return before.unknown.contains(1); }));
  const pid_t shim = before.shim_of(before.unknown[1].pid);
  before.client->leave();
  before.left_behind = true;
  before.client.reset();
  ASSERT_EQ(signal_process(shim, SIGKILL), 0);
  ClientRig rig(durable(2));
  rig.client->adopt(1, 1, "s1");
  ASSERT_TRUE(rig.run_until_word(1, "lost"));
  EXPECT_EQ(rig.marked(), std::vector<pid_t>{});
}

TEST_P(KeeperClientAdopt, ASecondClientOfAFolderIsRefusedNamingTheFirst) {
  ClientRig rig(durable());
  const int pid = rig.start(rig.shell(1, "exec sleep 1000"));
  ClientRig second(durable(1));
  second.left_behind = true;
  const Result<void> refused = second.client->start();
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("process " + std::to_string(::getpid())), std::string::npos) << refused.error().message;
  second.client->launch(second.shell(5, "exit 0"));
  ASSERT_TRUE(second.run_until_word(5, "swept"));
  EXPECT_EQ(second.story(5), (Story{"start_failed", "swept"}));
  EXPECT_EQ(second.life(5).reason, refused.error().message);
  second.client.reset();
  EXPECT_TRUE(is_alive(pid));
}

// Run by the next test in a process of its own; killed in the middle, as by a timeout.
TEST_P(KeeperClientAdopt, DISABLED_IsKilledWhileItsFleetRuns) {
  std::filesystem::remove(folder);
  const std::filesystem::path given = std::getenv("AZORA_TEST_FOLDER");
  ClientRig rig({.cgroups = GetParam(), .folder = given, .durable = true});
  rig.start(rig.shell(1, "setsid sleep 1000 & exec sleep 1000"));
  std::ofstream(given / "up") << "";
  for (;;) ::pause();
}

TEST_P(KeeperClientAdopt, ATestThatIsKilledLeavesNothing) {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  const std::string filter = std::string("--gtest_filter=*DISABLED_IsKilledWhileItsFleetRuns/") + (GetParam() ? "1" : "0");
  const pid_t tests = ::fork();
  if (tests == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::setenv("AZORA_TEST_FOLDER", folder.c_str(), 1);
    ::execl(self.c_str(), self.c_str(), filter.c_str(), "--gtest_also_run_disabled_tests", nullptr);
    ::_exit(127);
  }
  AsioLoop loop;
  wait_until(loop, [&] { return std::filesystem::exists(folder / "up"); });
  ClientRig rig(durable());  // for its eyes; it never starts
  rig.left_behind = true;
  wait_until(loop, [&] { return rig.marked().size() == 2; });
  pid_t shim = 0;
  for (const pid_t pid : rig.marked()) {
    if (text_of("/proc/" + std::to_string(rig.shim_of(pid)) + "/comm") == "azora-shim\n") shim = rig.shim_of(pid);
  }
  EXPECT_TRUE(is_alive(shim));
  signal_process(tests, SIGKILL);
  ASSERT_EQ(::waitpid(tests, nullptr, 0), tests);
  wait_until(loop, [&] { return rig.marked().empty() && !is_alive(shim) && !std::filesystem::exists(folder); });
  EXPECT_EQ(rig.marked(), std::vector<pid_t>{});
  EXPECT_FALSE(is_alive(shim));
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST_P(KeeperClientAdopt, AFolderThatOthersMayEnterIsRefused) {
  std::filesystem::create_directory(folder / "fleet");
  std::filesystem::permissions(folder / "fleet", std::filesystem::perms(0755));
  ClientRig rig(durable());
  const Result<void> refused = rig.client->start();
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("private"), std::string::npos) << refused.error().message;
}

}  // namespace
}  // namespace azora::keeper
