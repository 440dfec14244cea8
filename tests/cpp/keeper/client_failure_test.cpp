// KeeperClient when things break: no program, bad launches, killed keepers and shims.
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "keeper/client_rig.hpp"

namespace azora::keeper {
namespace {

class KeeperClientFailure : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Cgroup, KeeperClientFailure, ::testing::Bool());

std::string failure_of(ClientRig& rig, const Launch& launch) {
  rig.client->launch(launch);
  rig.run_until_word(launch.serial, "swept", launch.incarnation);
  EXPECT_EQ(rig.story(launch.serial, launch.incarnation), (Story{"start_failed", "swept"}));
  return rig.life(launch.serial, launch.incarnation).reason;
}

TEST_P(KeeperClientFailure, MissingProgramIsNamed) {
  ClientRig rig(GetParam(), "/nowhere/azora-keeper");
  const std::string reason = failure_of(rig, rig.shell(1, "exit 0"));
  EXPECT_NE(reason.find("/nowhere/azora-keeper"), std::string::npos) << reason;
  EXPECT_NE(reason.find("reinstall"), std::string::npos) << reason;
  // And again, as healing will.
  EXPECT_EQ(failure_of(rig, rig.shell(1, "exit 0", 2)), reason);
}

TEST_P(KeeperClientFailure, ProgramThatIsNoKeeperIsSaidToEnd) {
  ClientRig rig(GetParam(), "/bin/false");
  EXPECT_NE(failure_of(rig, rig.shell(1, "exit 0")).find("/bin/false"), std::string::npos);
}

TEST_P(KeeperClientFailure, BadLaunchesNameFieldValueAndFix) {
  ClientRig rig(GetParam());
  const std::string missing = failure_of(rig, ClientRig::launch_of(1, {"no-such-program"}));
  EXPECT_NE(missing.find("process.argv[0]: \"no-such-program\" is not in any folder of PATH ("), std::string::npos) << missing;

  const std::string no_file = failure_of(rig, ClientRig::launch_of(2, {"/no/such/program"}));
  EXPECT_NE(no_file.find("process.argv[0]: \"/no/such/program\" does not exist"), std::string::npos) << no_file;

  Launch cwd = rig.shell(3, "exit 0");
  cwd.spec.cwd = "/no/such/folder";
  const std::string no_folder = failure_of(rig, cwd);
  EXPECT_NE(no_folder.find("process.cwd: \"/no/such/folder\" cannot be entered: No such file"), std::string::npos) << no_folder;

  Launch user = rig.shell(4, "exit 0");
  user.spec.user = "no-such-user";
  const std::string no_user = failure_of(rig, user);
  EXPECT_NE(no_user.find("process.user: is \"no-such-user\"; this machine has no such user"), std::string::npos) << no_user;

  Launch env_file = rig.shell(5, "exit 0");
  env_file.spec.env_file = rig.folder / "env";
  std::ofstream(env_file.spec.env_file) << "A=1\nB\n";
  const std::string bad_line = failure_of(rig, env_file);
  EXPECT_NE(bad_line.find("line 2 has no '='; write NAME=value"), std::string::npos) << bad_line;
  std::filesystem::remove(env_file.spec.env_file);

  Launch limit = rig.shell(7, "exit 0");
  limit.spec.rlimits["nofile"] = {std::int64_t{1} << 40, std::int64_t{1} << 40};
  const std::string no_limit = failure_of(rig, limit);
  EXPECT_NE(no_limit.find("process.rlimits.nofile: cannot be set"), std::string::npos) << no_limit;

  Launch large = rig.shell(6, "exit 0");
  large.spec.env.emplace_back("LARGE", std::string(300'000, 'x'));
  const std::string too_large = failure_of(rig, large);
  EXPECT_NE(too_large.find("process.argv and its environment together are larger than"), std::string::npos) << too_large;
  // None of it hurts the next one.
  rig.client->launch(rig.shell(6, "exit 0", 2));
  EXPECT_TRUE(rig.run_until_word(6, "swept", 2));
  EXPECT_EQ(rig.life(6, 2).exit.code, 0);
}

TEST_P(KeeperClientFailure, AMemoryLimitWithoutAMemoryCgroupIsKeptAndWarnedOf) {
  ClientRig rig(GetParam());
  Launch launch = rig.shell(1, "dd if=/dev/zero of=/dev/null bs=200M count=1");
  launch.spec.memory_limit = 64 * 1024 * 1024;
  rig.client->launch(launch);
  ASSERT_TRUE(rig.run_until_word(1, "swept"));
  const ClientRig::Life& life = rig.life(1);
  EXPECT_EQ(life.story, (Story{"started", "exited", "swept"}));
  if (life.exit.oom.value_or(false)) {
    EXPECT_EQ(life.warning, "");
    EXPECT_EQ(life.exit.signal, SIGKILL);
  } else {
    EXPECT_NE(life.warning.find("RLIMIT_AS"), std::string::npos) << life.warning;
    EXPECT_NE(life.exit.code.value_or(0), 0);
  }
}

TEST_P(KeeperClientFailure, KilledKeeperLosesNoExitAndNoService) {
  ClientRig rig({.cgroups = GetParam(), .adjust = [](ClientOptions& options) {
                   options.ping_every = std::chrono::hours(1);  // it is stopped for a while, and that is not the point
                 }});
  const std::filesystem::path go = rig.folder / "go";
  const std::string wait_for_go = "while ! test -e " + go.string() + "; do sleep 0.02; done; ";
  rig.start(rig.shell(1, wait_for_go + "exit 11"));
  rig.start(rig.shell(2, wait_for_go + "kill -9 $$"));
  const int steady = rig.start(rig.shell(3, "exec sleep 1000"));
  const pid_t keeper = rig.keeper_of(steady);
  // While the keeper is dead, two of the three end: their shims keep the records.
  signal_process(keeper, SIGSTOP);
  std::ofstream(go) << "";
  ASSERT_TRUE(rig.run_until([&] { return !is_alive(rig.life(1).pid) && !is_alive(rig.life(2).pid); }));
  EXPECT_EQ(rig.story(1), (Story{"started"}));
  signal_process(keeper, SIGKILL);
  ASSERT_TRUE(rig.run_until_word(1, "swept"));
  ASSERT_TRUE(rig.run_until_word(2, "swept"));
  ASSERT_TRUE(rig.run_until([&] { return rig.links.size() == 2; }));
  EXPECT_FALSE(rig.links[0].first);
  EXPECT_NE(rig.links[0].second.find("keeper ended"), std::string::npos);
  EXPECT_TRUE(rig.links[1].first);
  EXPECT_EQ(rig.life(1).exit.code, 11);
  EXPECT_EQ(rig.life(2).exit.signal, SIGKILL);
  EXPECT_TRUE(is_alive(steady));
  EXPECT_EQ(rig.story(3), (Story{"started"}));
  // The new keeper has the one that lives in hand, and starts others.
  rig.client->launch(rig.shell(1, "exit 0", 2));
  rig.client->stop(3, 1, {.signal = SIGTERM});
  ASSERT_TRUE(rig.run_until_word(3, "swept"));
  ASSERT_TRUE(rig.run_until_word(1, "swept", 2));
  for (Serial serial = 1; serial <= 3; ++serial) EXPECT_EQ(rig.story(serial), (Story{"started", "exited", "swept"}));
  EXPECT_EQ(rig.life(3).exit.signal, SIGTERM);
  std::filesystem::remove(go);
}

TEST_P(KeeperClientFailure, KeepersKilledAgainAndAgainUnderLoad) {
  ClientRig rig(GetParam());
  constexpr Serial kServices = 30;
  constexpr std::uint64_t kRounds = 4;
  const int anchor = rig.start(rig.shell(1000, "exec sleep 1000"));
  const pid_t shim = rig.shim_of(anchor);
  pid_t killed = 0;
  for (std::uint64_t round = 1; round <= kRounds; ++round) {
    for (Serial serial = 1; serial <= kServices; ++serial) {
      rig.client->launch(rig.shell(serial, "exit " + std::to_string(serial), round));
    }
    // In the middle of it, wherever that is: after a third of them has started.
    ASSERT_TRUE(rig.run_until([&] {
      Serial started = 0;
      for (Serial serial = 1; serial <= kServices; ++serial) started += rig.has(serial, "started", round) ? 1 : 0;
      return started >= kServices / 3;
    }));
    pid_t keeper = 0;
    ASSERT_TRUE(rig.run_until([&] { return (keeper = rig.keeper()) != 0 && keeper != killed; }));
    signal_process(keeper, SIGKILL);
    killed = keeper;
    for (Serial serial = 1; serial <= kServices; ++serial) {
      ASSERT_TRUE(rig.run_until([&] { return rig.has(serial, "swept", round) || rig.has(serial, "lost", round); })) << serial;
      EXPECT_EQ(rig.story(serial, round), (Story{"started", "exited", "swept"})) << rig.life(serial, round).reason;
      EXPECT_EQ(rig.life(serial, round).exit.code, static_cast<int>(serial));
    }
  }
  EXPECT_TRUE(is_alive(anchor));
  EXPECT_TRUE(is_alive(shim));
  EXPECT_EQ(rig.story(1000), (Story{"started"}));
}

TEST_P(KeeperClientFailure, KilledShimIsLostAndLeavesNobody) {
  ClientRig rig(GetParam());
  const int pid = rig.start(rig.shell(1, "setsid sleep 1000 & echo up; exec sleep 1000"));
  ASSERT_TRUE(rig.run_until([&] { return rig.log(1) == "up\n" && rig.marked().size() == 2; }));
  signal_process(rig.shim_of(pid), SIGKILL);
  ASSERT_TRUE(rig.run_until_word(1, "lost"));
  EXPECT_EQ(rig.story(1), (Story{"started", "lost"}));
  EXPECT_EQ(rig.marked(), std::vector<pid_t>{});
  EXPECT_NE(rig.life(1).reason.find("shim was killed"), std::string::npos);
  rig.client->launch(rig.shell(1, "exit 4", 2));
  ASSERT_TRUE(rig.run_until_word(1, "swept", 2));
  EXPECT_EQ(rig.life(1, 2).exit.code, 4);
}

TEST_P(KeeperClientFailure, KeeperAndShimKilledTogether) {
  ClientRig rig(GetParam());
  const int pid = rig.start(rig.shell(1, "setsid sleep 1000 & echo up; exec sleep 1000"));
  ASSERT_TRUE(rig.run_until([&] { return rig.log(1) == "up\n" && rig.marked().size() == 2; }));
  const pid_t shim = rig.shim_of(pid);
  signal_process(parent_of(shim), SIGKILL);
  signal_process(shim, SIGKILL);
  ASSERT_TRUE(rig.run_until_word(1, "lost"));
  EXPECT_EQ(rig.story(1), (Story{"started", "lost"}));
  EXPECT_EQ(rig.marked(), std::vector<pid_t>{});
}

TEST_P(KeeperClientFailure, CommandsGivenWhileTheKeeperIsDeadAreCarriedOut) {
  ClientRig rig(GetParam());
  const int first = rig.start(rig.shell(1, "exec sleep 1000"));
  rig.start(rig.shell(2, "exec sleep 1000"));
  rig.start(rig.shell(3, "exec sleep 1000"));
  rig.client->kill(3, 1);
  ASSERT_TRUE(rig.run_until_word(3, "swept"));
  const pid_t keeper = rig.keeper_of(first);
  signal_process(keeper, SIGSTOP);
  rig.client->stop(1, 1, {.signal = SIGTERM});
  rig.client->kill(2, 1);
  rig.client->launch(rig.shell(3, "exit 5", 2));
  rig.client->launch(rig.shell(4, "exit 6"));
  signal_process(keeper, SIGKILL);
  ASSERT_TRUE(rig.run_until_word(1, "swept"));
  ASSERT_TRUE(rig.run_until_word(2, "swept"));
  ASSERT_TRUE(rig.run_until_word(3, "swept", 2));
  ASSERT_TRUE(rig.run_until_word(4, "swept"));
  EXPECT_EQ(rig.life(1).exit.signal, SIGTERM);
  EXPECT_EQ(rig.life(2).exit.signal, SIGKILL);
  EXPECT_EQ(rig.life(3, 2).exit.code, 5);
  EXPECT_EQ(rig.life(4).exit.code, 6);
  for (const auto& [who, life] : rig.lives) EXPECT_EQ(life.story, (Story{"started", "exited", "swept"})) << who.first;
}

TEST_P(KeeperClientFailure, StoppedKeeperDoesNotHoldUpTheEnd) {
  ClientRig rig(GetParam());
  const int pid = rig.start(rig.shell(1, "exec sleep 1000"));
  signal_process(rig.keeper_of(pid), SIGSTOP);
  EXPECT_TRUE(rig.client->stop(Millis(0)));
  EXPECT_FALSE(is_alive(pid));
}

TEST_P(KeeperClientFailure, ForkedChildLeavesTheFleetAlone) {
  ClientRig rig(GetParam());
  const int pid = rig.start(rig.shell(1, "exec sleep 1000"));
  const pid_t child = ::fork();
  if (child == 0) {
    const bool refused = !rig.client->start().ok();
    rig.client.reset();
    ::_exit(refused ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(is_alive(pid));
  rig.client->stop(1, 1, {.signal = SIGTERM});
  EXPECT_TRUE(rig.run_until_word(1, "swept"));
}

TEST_P(KeeperClientFailure, ServicesEndWithTheOrchestratorsProcess) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const pid_t orchestrator = ::fork();
  if (orchestrator == 0) {
    ClientRig rig(GetParam());
    const int pid = rig.start(ClientRig::launch_of(1, {"/bin/sleep", "1000"}));
    const std::string path = rig.folder;
    [[maybe_unused]] ssize_t written = ::write(pipe[1], &pid, sizeof pid);
    written = ::write(pipe[1], path.data(), path.size());
    ::close(pipe[1]);
    ::pause();
  }
  ::close(pipe[1]);
  int pid = 0;
  ASSERT_EQ(::read(pipe[0], &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
  std::string path(512, '\0');
  const ssize_t size = ::read(pipe[0], path.data(), path.size());
  ASSERT_GT(size, 0);
  path.resize(static_cast<std::size_t>(size));
  ::close(pipe[0]);
  const int service = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  signal_process(orchestrator, SIGKILL);
  ASSERT_EQ(::waitpid(orchestrator, nullptr, 0), orchestrator);
  pollfd gone{service, POLLIN, 0};
  EXPECT_EQ(::poll(&gone, 1, 60'000), 1);
  ::close(service);
  // Whoever is last takes the runtime directory along.
  const SteadyTime limit = AsioLoop::steady_now() + std::chrono::seconds(60);
  AsioLoop loop;
  std::function<void()> look = [&] {
    if (std::filesystem::is_empty(path) || loop.now().steady > limit) return loop.stop();
    loop.at(loop.now().steady + Millis(5), look);
  };
  loop.post(look);
  loop.run();
  EXPECT_TRUE(std::filesystem::is_empty(path));
  std::filesystem::remove_all(path);
}

}  // namespace
}  // namespace azora::keeper
