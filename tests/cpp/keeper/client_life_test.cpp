// KeeperClient over the real program: lives of services, told exactly once.
#include <sys/stat.h>
#include <sys/wait.h>

#include "keeper/client_rig.hpp"

namespace azora::keeper {
namespace {

class KeeperClientLife : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Cgroup, KeeperClientLife, ::testing::Bool());

TEST_P(KeeperClientLife, TellsALifeInOrder) {
  ClientRig rig(GetParam());
  rig.client->launch(rig.shell(1, "echo hello; exit 7"));
  ASSERT_TRUE(rig.run_until_word(1, "swept"));
  EXPECT_EQ(rig.story(1), (Story{"started", "exited", "swept"})) << rig.life(1).reason;
  EXPECT_GT(rig.life(1).pid, 0);
  EXPECT_EQ(rig.life(1).exit.code, 7);
  EXPECT_EQ(rig.life(1).exit.signal, std::nullopt);
  EXPECT_GE(rig.life(1).exit.at.ms, rig.life(1).started.wall.ms);
  EXPECT_LE(rig.life(1).started.steady, rig.loop.now().steady);
  EXPECT_EQ(rig.log(1), "hello\n");
  EXPECT_TRUE(rig.links.empty());
}

TEST_P(KeeperClientLife, StopsAndKillsWithTheSignalAskedFor) {
  ClientRig rig(GetParam());
  rig.start(rig.shell(1, "trap 'exit 3' INT; echo ready; while :; do sleep 1 & wait $!; done"));
  rig.start(rig.shell(2, "trap '' TERM; echo ready; while :; do sleep 1; done"));
  ASSERT_TRUE(rig.run_until([&] { return rig.log(1) == "ready\n" && rig.log(2) == "ready\n"; }));
  rig.client->stop(1, 1, {.signal = SIGINT});
  ASSERT_TRUE(rig.run_until_word(1, "swept"));
  EXPECT_EQ(rig.life(1).exit.code, 3);
  rig.client->stop(2, 1, {.signal = SIGTERM});
  rig.client->kill(2, 1);
  ASSERT_TRUE(rig.run_until_word(2, "swept"));
  EXPECT_EQ(rig.life(2).exit.signal, SIGKILL);
  EXPECT_EQ(rig.marked(), std::vector<pid_t>{});
}

class Umask {
 public:
  explicit Umask(mode_t mask) : before_(::umask(mask)) {}
  ~Umask() { ::umask(before_); }
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;

 private:
  mode_t before_;
};

mode_t mode_of(const std::filesystem::path& path) {
  struct stat file {};
  EXPECT_EQ(::stat(path.c_str(), &file), 0) << path;
  return file.st_mode & 0777;
}

TEST_P(KeeperClientLife, Rule56AServiceInheritsTheUmaskOfTheMomentOfItsStart) {
  ClientRig rig(GetParam());
  const auto umask_of = [&](Serial serial, std::optional<std::uint32_t> own) {
    Launch launch = rig.shell(serial, "umask; exit 0");
    launch.spec.umask = own;
    rig.client->launch(std::move(launch));
    EXPECT_TRUE(rig.run_until_word(serial, "swept"));
    return rig.log(serial);
  };
  const Umask first(0);
  EXPECT_EQ(umask_of(1, std::nullopt), "0000\n");
  const Umask second(026);  // the keeper was started with another
  EXPECT_EQ(umask_of(2, std::nullopt), "0026\n");
  EXPECT_EQ(umask_of(3, 0137), "0137\n");
}

TEST_P(KeeperClientLife, Rule56OurOwnFilesArePrivateWhateverTheUmask) {
  const Umask open(0);
  ClientRig rig(GetParam());
  rig.start(rig.shell(1, "echo here; exec sleep 1000"));
  ASSERT_TRUE(rig.run_until([&] { return rig.log(1) == "here\n"; }));
  const std::filesystem::path service = rig.client->log_folder(1).value();
  EXPECT_EQ(mode_of(service.parent_path()), 0700U);
  std::size_t seen = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(service.parent_path())) {
    EXPECT_EQ(mode_of(entry.path()) & 077U, 0U) << entry.path();
    ++seen;
  }
  EXPECT_GE(seen, 4U);  // the keeper's socket, a folder, its socket and its log
}

TEST_P(KeeperClientLife, StopReachesAServiceThatIsOnlyBeingStarted) {
  ClientRig rig(GetParam());
  rig.client->launch(rig.shell(1, "exec sleep 1000"));
  rig.client->kill(1, 1);
  ASSERT_TRUE(rig.run_until_word(1, "swept"));
  const Story& story = rig.story(1);
  EXPECT_TRUE(story == (Story{"started", "exited", "swept"}) || story == (Story{"start_failed", "swept"}));
}

TEST_P(KeeperClientLife, IncarnationsFollowEachOtherAndOldCommandsDoNothing) {
  ClientRig rig(GetParam());
  for (std::uint64_t incarnation = 1; incarnation <= 5; ++incarnation) {
    rig.client->launch(rig.shell(1, "echo run $AZORA_INCARNATION of $AZORA_ID; exec sleep 1000", incarnation));
    ASSERT_TRUE(rig.run_until([&] { return rig.log(1).ends_with("run " + std::to_string(incarnation) + " of s1\n"); }));
    rig.client->kill(1, incarnation - 1);
    rig.client->stop(1, incarnation + 1, {.signal = SIGKILL});
    rig.client->stop(1, incarnation, {.signal = SIGTERM});
    ASSERT_TRUE(rig.run_until_word(1, "swept", incarnation));
    EXPECT_EQ(rig.story(1, incarnation), (Story{"started", "exited", "swept"}));
    EXPECT_EQ(rig.life(1, incarnation).exit.signal, SIGTERM);
  }
}

TEST_P(KeeperClientLife, DescendantsAreGoneBeforeSwept) {
  ClientRig rig(GetParam());
  const int pid = rig.start(rig.shell(1, "setsid sleep 1000 & (setsid sleep 1000 &) ; echo up; exec sleep 1000"));
  ASSERT_TRUE(rig.run_until([&] { return rig.log(1) == "up\n" && rig.marked().size() == 3; }));
  signal_process(pid, SIGKILL);
  ASSERT_TRUE(rig.run_until_word(1, "swept"));
  EXPECT_EQ(rig.marked(), std::vector<pid_t>{});
}

TEST_P(KeeperClientLife, TwoHundredServicesAtOnce) {
  ClientRig rig(GetParam());
  constexpr int kServices = 200;
  for (int i = 1; i <= kServices; ++i) rig.client->launch(rig.shell(static_cast<Serial>(i), "exit " + std::to_string(i % 100)));
  ASSERT_TRUE(rig.run_until([&] {
    for (int i = 1; i <= kServices; ++i) {
      if (!rig.has(static_cast<Serial>(i), "swept")) return false;
    }
    return true;
  }));
  for (int i = 1; i <= kServices; ++i) {
    EXPECT_EQ(rig.story(static_cast<Serial>(i)), (Story{"started", "exited", "swept"}));
    EXPECT_EQ(rig.life(static_cast<Serial>(i)).exit.code, i % 100);
  }
}

TEST_P(KeeperClientLife, ForgottenServiceLeavesNeitherShimNorLogs) {
  ClientRig rig(GetParam());
  const int pid = rig.start(rig.shell(1, "echo here; exec sleep 1000"));
  const pid_t shim = rig.shim_of(pid);
  const std::string logs = rig.client->log_folder(1).value();
  EXPECT_TRUE(std::filesystem::exists(logs));
  rig.client->kill(1, 1);
  ASSERT_TRUE(rig.run_until_word(1, "swept"));
  EXPECT_TRUE(is_alive(shim));
  rig.client->forget(1);
  EXPECT_TRUE(rig.run_until([&] { return !is_alive(shim) && !std::filesystem::exists(logs); }));
}

TEST_P(KeeperClientLife, HostSeesNoChildOfItsOwn) {
  ClientRig rig(GetParam());
  const int pid = rig.start(rig.shell(1, "exec sleep 1000"));
  errno = 0;
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
  EXPECT_NE(rig.keeper_of(pid), ::getpid());
  EXPECT_EQ(children_of(::getpid()), std::vector<pid_t>{});
}

TEST_P(KeeperClientLife, NoKeeperWithoutAService) {
  ClientRig rig(GetParam());
  ASSERT_TRUE(rig.client->start().ok());
  ASSERT_TRUE(rig.client->start().ok());
  EXPECT_FALSE(rig.client->log_folder(1).ok());
  EXPECT_TRUE(rig.client->stop(Millis(0)));
  EXPECT_TRUE(std::filesystem::is_empty(rig.folder));
}

TEST_P(KeeperClientLife, StopEndsEverythingAndRefusesWhatComesLater) {
  ClientRig rig(GetParam());
  const int polite = rig.start(rig.shell(1, "exec sleep 1000"));
  const int deaf = rig.start(rig.shell(2, "trap '' TERM; echo deaf; while :; do sleep 1; done"));
  ASSERT_TRUE(rig.run_until([&] { return rig.log(2) == "deaf\n"; }));
  const pid_t keeper = rig.keeper_of(polite);
  EXPECT_TRUE(rig.client->stop(Millis(100)));
  EXPECT_TRUE(rig.client->stop(Millis(100)));
  EXPECT_FALSE(is_alive(polite) || is_alive(deaf) || is_alive(keeper));
  EXPECT_TRUE(std::filesystem::is_empty(rig.folder));
  rig.client->launch(rig.shell(3, "exit 0"));
  ASSERT_TRUE(rig.run_until_word(3, "swept"));
  EXPECT_EQ(rig.story(3), (Story{"start_failed", "swept"}));
  // What stopping brought about was told as well.
  EXPECT_EQ(rig.life(1).exit.signal, SIGTERM);
  EXPECT_EQ(rig.life(2).exit.signal, SIGKILL);
}

}  // namespace
}  // namespace azora::keeper
