// The link to the keeper and what it may meet: a keeper that does not answer, a folder that is removed, a directory of
// users that hangs, a message the system does not take, a peer of another boot.
#include <sys/socket.h>

#include <future>
#include <latch>
#include <new>

#include "azora/keeper/client_folder.hpp"
#include "azora/keeper/client_heartbeat.hpp"
#include "azora/keeper/client_link.hpp"
#include "keeper/client_rig.hpp"

namespace azora::keeper {
namespace {

SteadyTime at(std::int64_t ms) { return SteadyTime(Millis(ms)); }

TEST(KeeperHeartbeat, AsksEverySoOftenAndWaitsNoLongerThanItsPatience) {
  Heartbeat heartbeat(Millis(2'000), Millis(500), Millis(5'000));
  heartbeat.begin(at(0));
  EXPECT_FALSE(heartbeat.should_ask(at(1'999)));
  EXPECT_EQ(heartbeat.next(), at(2'000));
  EXPECT_TRUE(heartbeat.should_ask(at(2'000)));
  EXPECT_FALSE(heartbeat.should_ask(at(4'500)));  // one question at a time
  EXPECT_EQ(heartbeat.next(), at(2'500));
  EXPECT_FALSE(heartbeat.is_silent(at(6'999)));
  EXPECT_TRUE(heartbeat.is_silent(at(7'000)));
  heartbeat.answered();
  EXPECT_FALSE(heartbeat.is_silent(at(7'001)));
  EXPECT_TRUE(heartbeat.should_ask(at(7'001)));
}

TEST(KeeperHeartbeat, TimeWhenWeDidNotLookIsNotHeldAgainstTheKeeper) {
  Heartbeat heartbeat(Millis(2'000), Millis(500), Millis(5'000));
  heartbeat.begin(at(0));
  ASSERT_TRUE(heartbeat.should_ask(at(2'000)));
  EXPECT_FALSE(heartbeat.is_silent(at(60'000)));  // both of us may have been stopped
  EXPECT_FALSE(heartbeat.is_silent(at(64'999)));
  EXPECT_TRUE(heartbeat.is_silent(at(65'000)));
}

TEST(KeeperHeartbeat, AfterAMomentOfSilenceItIsTimeToLookAndAgainAfterAsLong) {
  Heartbeat heartbeat(Millis(1'000), Millis(500), Millis(5'000));
  heartbeat.begin(at(0));
  EXPECT_FALSE(heartbeat.should_glance(at(900)));
  ASSERT_TRUE(heartbeat.should_ask(at(1'000)));
  EXPECT_FALSE(heartbeat.should_glance(at(1'499)));
  EXPECT_TRUE(heartbeat.should_glance(at(1'500)));
  EXPECT_EQ(heartbeat.silence(at(1'500)), Millis(500));
  EXPECT_FALSE(heartbeat.should_glance(at(1'999)));
  EXPECT_EQ(heartbeat.next(), at(2'000));
  EXPECT_TRUE(heartbeat.should_glance(at(2'000)));
  heartbeat.answered();
  EXPECT_FALSE(heartbeat.should_glance(at(2'500)));
  EXPECT_EQ(heartbeat.silence(at(2'500)), Millis(0));
}

TEST(KeeperHeartbeat, HurryShortensAWaitUnderWay) {
  Heartbeat heartbeat(Millis(2'000), Millis(500), Millis(5'000));
  heartbeat.begin(at(0));
  heartbeat.hurry(at(100), Millis(1'000));
  ASSERT_TRUE(heartbeat.should_ask(at(100)));
  EXPECT_TRUE(heartbeat.is_silent(at(1'100)));
  heartbeat = Heartbeat(Millis(2'000), Millis(500), Millis(5'000));
  heartbeat.begin(at(0));
  ASSERT_TRUE(heartbeat.should_ask(at(2'000)));
  heartbeat.hurry(at(2'500), Millis(1'000));
  EXPECT_TRUE(heartbeat.is_silent(at(3'500)));
}

struct Pair {
  explicit Pair(int send_buffer = 0) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
    if (send_buffer > 0) ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
    ours = Fd(ends[0]);
    theirs = Fd(ends[1]);
  }
  Fd ours;
  Fd theirs;
};

TEST(KeeperLinkTest, AFrameTheSystemDoesNotTakeComesBack) {
  Pair pair(1);  // the least there is
  KeeperLink link(std::move(pair.ours), 1, "test");
  std::vector<std::uint8_t> large(kMaxFrame, 1);
  link.send(large);
  EXPECT_TRUE(link.can_send());
  const auto refused = link.take_too_large();
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0], large);
  EXPECT_TRUE(link.take_too_large().empty());
}

TEST(KeeperLinkTest, SocketsTakeTheLargestFrame) {
  const std::filesystem::path place = ClientRig::new_folder();
  Result<RuntimeFolder> folder = RuntimeFolder::make(place, "");
  ASSERT_TRUE(folder.ok());
  const Result<Fd> listener = folder.value().listen_for_keeper();
  const Result<Fd> socket = folder.value().connect_to_keeper();
  ASSERT_TRUE(listener.ok() && socket.ok());
  int room = 0;
  socklen_t size = sizeof room;
  ASSERT_EQ(::getsockopt(socket.value().get(), SOL_SOCKET, SO_SNDBUF, &room, &size), 0);
  EXPECT_GE(room, kFrameBuffer);
  std::filesystem::remove_all(place);
}

TEST(KeeperLinkTest, AKeeperOfAnotherBootIsRefused) {
  Pair pair;
  KeeperLink link(std::move(pair.ours), 1, "test");
  Hello hello;
  hello.pid = ::getpid();
  hello.boot_id = {"not-this-one", 12};
  std::vector<std::uint8_t> frame(kMaxSmallFrame);
  frame.resize(write_hello(frame.data(), frame.size(), hello, 1));
  ASSERT_GT(::send(pair.theirs.get(), frame.data(), frame.size(), 0), 0);
  EXPECT_FALSE(link.receive().has_value());
  EXPECT_FALSE(link.is_open());
  EXPECT_NE(link.broken().find("another boot"), std::string::npos);
}

TEST(KeeperFolder, APlaceThatOutlivesTheSessionGoesFirst) {
  const std::filesystem::path session = ClientRig::new_folder();
  Result<RuntimeFolder> folder = RuntimeFolder::make("", session);
  ASSERT_TRUE(folder.ok());
  EXPECT_EQ(std::filesystem::path(folder.value().path()).parent_path(), "/tmp");
  EXPECT_FALSE(folder.value().is_lost());
  std::filesystem::rename(folder.value().path(), folder.value().path() + ".away");
  EXPECT_TRUE(folder.value().is_lost());
  std::filesystem::create_directory(folder.value().path());  // another of that name is not ours
  EXPECT_TRUE(folder.value().is_lost());
  std::filesystem::remove_all(folder.value().path() + ".away");
  folder.value().remove();
  std::filesystem::remove_all(session);
}

class KeeperClientLink : public ::testing::TestWithParam<bool> {
 protected:
  // Asks the keeper often. `patience`: long where the keeper works, however busy the machine is.
  ClientRig::Setup curious(Millis patience) const {
    return {.cgroups = GetParam(), .adjust = [patience](ClientOptions& options) {
              options.ping_every = Millis(20);
              options.ping_glance = patience;
              options.ping_patience = patience;
            }};
  }
};
INSTANTIATE_TEST_SUITE_P(Cgroup, KeeperClientLink, ::testing::Bool());

TEST_P(KeeperClientLink, AKeeperThatDoesNotAnswerIsReportedAndReplaced) {
  ClientRig rig(curious(Millis(2'000)));
  const int pid = rig.start(rig.shell(1, "exec sleep 1000"));
  const pid_t keeper = rig.keeper_of(pid);
  ASSERT_EQ(signal_process(keeper, SIGSTOP), 0);
  ASSERT_TRUE(rig.run_until([&] { return rig.links.size() >= 2; }));
  EXPECT_FALSE(rig.links[0].first);
  EXPECT_NE(rig.links[0].second.find("has not answered"), std::string::npos) << rig.links[0].second;
  EXPECT_TRUE(rig.links[1].first);
  EXPECT_TRUE(rig.run_until([&] { return !is_alive(keeper); }));
  EXPECT_TRUE(is_alive(pid));
  EXPECT_EQ(rig.story(1), Story{"started"});
  rig.client->stop(1, 1, {.signal = SIGTERM});
  ASSERT_TRUE(rig.run_until_word(1, "swept"));
  EXPECT_EQ(rig.life(1).exit.signal, SIGTERM);
}

// The patience for one that is only busy is further away than this test is given to run.
TEST_P(KeeperClientLink, AKeeperThatIsStoppedBySignalIsReplacedLongBeforeItsPatienceIsOver) {
  ClientRig rig({.cgroups = GetParam(), .adjust = [](ClientOptions& options) {
                   options.ping_every = Millis(20);
                   options.ping_glance = Millis(20);
                   options.ping_patience = std::chrono::hours(1);
                 }});
  const int pid = rig.start(rig.shell(1, "exec sleep 1000"));
  const int other = rig.start(rig.shell(2, "exec sleep 1000"));
  const pid_t keeper = rig.keeper_of(pid);
  ASSERT_EQ(signal_process(keeper, SIGSTOP), 0);
  ASSERT_EQ(signal_process(other, SIGSEGV), 0);
  ASSERT_TRUE(rig.run_until([&] { return rig.links.size() >= 2; }));
  EXPECT_EQ(rig.links[0].second.find("the keeper, process " + std::to_string(keeper) +
                                     ", which is stopped by a signal or a debugger, has not answered for "), 0U) << rig.links[0].second;
  // What ended meanwhile is told as its shim saw it.
  ASSERT_TRUE(rig.run_until_word(2, "swept"));
  EXPECT_EQ(rig.story(2), (Story{"started", "exited", "swept"}));
  EXPECT_EQ(rig.life(2).exit.signal, SIGSEGV);
  EXPECT_FALSE(rig.life(2).exit.asked);
  rig.client->stop(1, 1, {.signal = SIGTERM});
  ASSERT_TRUE(rig.run_until_word(1, "swept"));
  EXPECT_TRUE(rig.life(1).exit.asked);
}

// Where no keeper can be had, all that is left to do is to end with our process, which the shims see.
TEST_P(KeeperClientLink, AKeeperThatCannotBeHadIsNotWaitedForBeyondTheDeadline) {
  const std::filesystem::path place = ClientRig::new_folder();
  std::filesystem::copy(kKeeperProgram, place / "keeper");
  ClientRig rig(GetParam(), place / "keeper");
  const int pid = rig.start(rig.shell(1, "exec sleep 1000"));
  const pid_t shim = rig.shim_of(pid);
  std::filesystem::remove_all(place);
  ASSERT_EQ(signal_process(rig.keeper_of(pid), SIGKILL), 0);
  ASSERT_TRUE(rig.run_until([&] { return !rig.links.empty(); }));
  const SteadyTime before = AsioLoop::steady_now();
  EXPECT_FALSE(rig.client->stop(Millis(200)));
  EXPECT_LT(AsioLoop::steady_now() - before, std::chrono::seconds(5)) << "the patience with a keeper that is there";
  ASSERT_EQ(signal_process(shim, SIGTERM), 0);  // what the end of this process would be to it
  EXPECT_TRUE(rig.run_until([&] { return !is_alive(pid) && !is_alive(shim); }));
  std::filesystem::remove_all(std::filesystem::path(rig.client->log_folder(1).value()).parent_path());
}

// Its deadline is further away than this test is given to run.
TEST_P(KeeperClientLink, AStoppedKeeperIsNotWaitedForUntilTheDeadline) {
  ClientRig rig(GetParam());
  const int pid = rig.start(rig.shell(1, "exec sleep 1000"));
  ASSERT_EQ(signal_process(rig.keeper_of(pid), SIGSTOP), 0);
  EXPECT_TRUE(rig.client->stop(std::chrono::hours(1)));
  EXPECT_FALSE(is_alive(pid));
  ASSERT_TRUE(rig.run_until_word(1, "swept"));
  EXPECT_EQ(rig.life(1).exit.signal, SIGTERM);
}

TEST_P(KeeperClientLink, WhereItsFolderIsRemovedTheFleetGoesOnInAnother) {
  ClientRig rig(curious(Millis(60'000)));
  const int pid = rig.start(rig.shell(1, "echo before; while :; do sleep 0.05; echo tick; done"));
  ASSERT_TRUE(rig.run_until([&] { return rig.log(1).starts_with("before\n"); }));
  const std::filesystem::path lost = std::filesystem::path(rig.client->log_folder(1).value()).parent_path();
  std::filesystem::remove_all(lost);
  ASSERT_TRUE(rig.run_until([&] { return rig.links.size() == 2; }));
  EXPECT_FALSE(rig.links[0].first);
  EXPECT_NE(rig.links[0].second.find("\"" + lost.string() + "\" was removed"), std::string::npos) << rig.links[0].second;
  EXPECT_TRUE(rig.links[1].first);
  EXPECT_NE(std::filesystem::path(rig.client->log_folder(1).value()).parent_path(), lost);
  EXPECT_TRUE(rig.run_until([&] { return rig.log(1).find("tick\n") != std::string::npos; }));
  const int second = rig.start(rig.shell(2, "echo here; exec sleep 1000"));
  EXPECT_TRUE(rig.run_until([&] { return rig.log(2) == "here\n"; }));
  // The next keeper finds both where they are now.
  ASSERT_EQ(signal_process(rig.keeper(), SIGKILL), 0);
  ASSERT_TRUE(rig.run_until([&] { return rig.links.size() == 4; }));
  rig.client->stop(1, 1, {.signal = SIGKILL});
  rig.client->stop(2, 1, {.signal = SIGTERM});
  ASSERT_TRUE(rig.run_until_word(1, "swept"));
  ASSERT_TRUE(rig.run_until_word(2, "swept"));
  EXPECT_EQ(rig.story(1), (Story{"started", "exited", "swept"}));
  EXPECT_EQ(rig.story(2), (Story{"started", "exited", "swept"}));
  EXPECT_FALSE(is_alive(pid) || is_alive(second));
}

TEST_P(KeeperClientLink, ALaunchRightAfterTheFolderWasRemovedIsStarted) {
  ClientRig rig(GetParam());  // who asks the keeper so seldom that only the launch itself can notice
  rig.start(rig.shell(1, "exec sleep 1000"));
  std::filesystem::remove_all(std::filesystem::path(rig.client->log_folder(1).value()).parent_path());
  rig.client->launch(rig.shell(2, "exit 3"));
  ASSERT_TRUE(rig.run_until_word(2, "swept"));
  EXPECT_EQ(rig.life(2).exit.code, 3) << rig.life(2).reason;
}

// With the folder went the socket that the next keeper would be asked at.
TEST_P(KeeperClientLink, AKeeperThatEndsAfterItsFolderWasRemovedIsReplaced) {
  ClientRig rig(GetParam());  // who asks the keeper so seldom that only its end makes it look
  const int pid = rig.start(rig.shell(1, "exec sleep 1000"));
  const pid_t keeper = rig.keeper_of(pid);
  std::filesystem::remove_all(std::filesystem::path(rig.client->log_folder(1).value()).parent_path());
  ASSERT_EQ(signal_process(keeper, SIGKILL), 0);
  EXPECT_TRUE(rig.run_until([&] { return !rig.links.empty() && rig.links.back().first; }));
  const int second = rig.start(rig.shell(2, "exec sleep 1000"));
  EXPECT_TRUE(is_alive(second));
}

TEST_P(KeeperClientLink, WhyTheNextKeeperDoesNotComeIsTold) {
  const std::filesystem::path place = ClientRig::new_folder();
  const std::filesystem::path program = place / "keeper";
  std::filesystem::copy_file(kKeeperProgram, program);
  {
    ClientRig rig(GetParam(), program);
    const int pid = rig.start(rig.shell(1, "exec sleep 1000"));
    std::filesystem::rename(program, place / "away");
    ASSERT_EQ(signal_process(rig.keeper_of(pid), SIGKILL), 0);
    ASSERT_TRUE(rig.run_until([&] { return rig.links.size() >= 2; }));
    EXPECT_FALSE(rig.links[0].first);
    EXPECT_FALSE(rig.links[1].first);
    EXPECT_NE(rig.links[1].second.find(program), std::string::npos) << rig.links[1].second;
    std::filesystem::rename(place / "away", program);
    EXPECT_TRUE(rig.run_until([&] { return rig.links.back().first; }));
    EXPECT_TRUE(is_alive(pid));
  }
  std::filesystem::remove_all(place);
}

// The end of our connection to that keeper, which is in this process.
int link_to(pid_t keeper) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename());
    ucred peer{};
    socklen_t size = sizeof peer;
    int listens = 0;
    socklen_t room = sizeof listens;
    if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &room) != 0 || listens != 0) continue;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid == keeper) return fd;
  }
  return -1;
}

TEST_P(KeeperClientLink, ALaunchThatTheSystemTakesNoMessageOfFailsInWords) {
  ClientRig rig(GetParam());
  const int pid = rig.start(rig.shell(1, "exec sleep 1000"));
  // We made the socket: its peer's credentials are our own.
  const int fd = link_to(::getpid());
  ASSERT_GE(fd, 0);
  const int least = 1;
  ASSERT_EQ(::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &least, sizeof least), 0);
  Launch launch = rig.shell(2, "exit 0");
  launch.spec.argv.emplace_back(100'000, 'x');
  rig.client->launch(launch);
  ASSERT_TRUE(rig.run_until_word(2, "swept"));
  EXPECT_EQ(rig.story(2), (Story{"start_failed", "swept"}));
  EXPECT_NE(rig.life(2).reason, "");
  EXPECT_TRUE(is_alive(pid));
  rig.client->stop(1, 1, {.signal = SIGTERM});
  EXPECT_TRUE(rig.run_until_word(1, "swept"));
}

class LoopWithoutRoom : public Loop {
 public:
  Now now() override { return {AsioLoop::steady_now(), AsioLoop::wall_now()}; }
  void post(Task) override { throw std::bad_alloc(); }
  TimerId at(SteadyTime, Task) override { return 0; }
  void cancel(TimerId) override {}
};

TEST(KeeperClientThread, ItsDeathIsTold) {
  LoopWithoutRoom loop;
  std::promise<std::string> told;
  const std::filesystem::path place = ClientRig::new_folder();
  {
    KeeperClient client(loop, {.program = kKeeperProgram, .runtime_dir = place, .died = [&](const char* name, const std::string&) {
                          told.set_value(name);
                        }});
    client.launch(ClientRig::launch_of(1, {"/no/such/program"}));
    std::future<std::string> name = told.get_future();
    ASSERT_EQ(name.wait_for(std::chrono::seconds(20)), std::future_status::ready);
    EXPECT_EQ(name.get(), "az-keeper");
  }
  std::filesystem::remove_all(place);
}

TEST_P(KeeperClientLink, ADirectoryOfUsersThatHangsStallsOneLaunchAlone) {
  const auto hung = std::make_shared<std::latch>(1);
  ClientRig rig({.cgroups = GetParam(), .adjust = [hung](ClientOptions& options) {
                   options.accounts = [hung](const std::string& user, uid_t) -> Result<std::optional<Account>> {
                     if (user == "hung") hung->wait();
                     return std::optional<Account>();
                   };
                 }});
  const int pid = rig.start(rig.shell(1, "exec sleep 1000"));
  const auto as_user = [&](Serial serial, const std::string& user) {
    Launch launch = rig.shell(serial, "exit " + std::to_string(serial));
    launch.spec.user = user;
    return launch;
  };
  rig.client->launch(as_user(2, "hung"));
  rig.client->launch(as_user(3, "hung"));
  rig.client->launch(as_user(4, "here"));
  rig.client->launch(rig.shell(5, "exit 5"));
  rig.client->stop(1, 1, {.signal = SIGTERM});
  for (const Serial serial : {1, 4, 5}) ASSERT_TRUE(rig.run_until_word(serial, "swept"));
  EXPECT_FALSE(is_alive(pid));
  EXPECT_EQ(rig.life(4).exit.code, 4);
  // What is stopped while it waits never starts.
  rig.client->stop(2, 1, {.signal = SIGTERM});
  ASSERT_TRUE(rig.run_until_word(2, "swept"));
  EXPECT_EQ(rig.story(2), (Story{"start_failed", "swept"}));
  hung->count_down();
  ASSERT_TRUE(rig.run_until_word(3, "swept"));
  EXPECT_EQ(rig.life(3).exit.code, 3);
  EXPECT_EQ(rig.story(2), (Story{"start_failed", "swept"}));
}

TEST_P(KeeperClientLink, AHungDirectoryDoesNotHoldUpTheEnd) {
  const auto hung = std::make_shared<std::latch>(1);
  const auto begun = std::make_shared<std::latch>(1);
  {
    ClientRig rig({.cgroups = GetParam(), .adjust = [hung, begun](ClientOptions& options) {
                     options.accounts = [hung, begun](const std::string&, uid_t) -> Result<std::optional<Account>> {
                       begun->count_down();
                       hung->wait();
                       return std::optional<Account>();
                     };
                   }});
    Launch launch = rig.shell(1, "exit 0");
    launch.spec.user = "any";
    rig.client->launch(launch);
    begun->wait();
    EXPECT_TRUE(rig.client->stop(Millis(0)));
    ASSERT_TRUE(rig.run_until_word(1, "swept"));
  }
  hung->count_down();
}

}  // namespace
}  // namespace azora::keeper
