// The real kernel: sockets and processes as services have them. A tree here is what the keeper makes: a shim, which is
// the subreaper, and below it the main process, which runs what the test says. All of it ends with the test's end of a
// pipe.
#include "azora/listeners/look.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "azora/base/fd.hpp"
#include "azora/listeners/proc_net.hpp"
#include "azora/listeners/proc_owners.hpp"
#include "azora/listeners/processes.hpp"
#include "azora/listeners/socket_diag.hpp"

namespace azora::listeners {
namespace {

using Kind = Answer::Kind;

constexpr int kReusePort = 1;
constexpr int kOnlyIpv6 = 2;

// A socket that listens there; a port of 0: on a free one. -1 when that is not possible.
int listen_at(const char* address, std::uint16_t port = 0, int options = 0) {
  const bool ipv6 = std::string_view(address).find(':') != std::string_view::npos;
  const int fd = ::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  const int only = (options & kOnlyIpv6) != 0 ? 1 : 0;
  if ((options & kReusePort) != 0) ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (ipv6) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
  sockaddr_in6 v6{.sin6_family = AF_INET6, .sin6_port = htons(port)};
  sockaddr_in v4{.sin_family = AF_INET, .sin_port = htons(port)};
  if (ipv6 ? ::inet_pton(AF_INET6, address, &v6.sin6_addr) != 1 : ::inet_pton(AF_INET, address, &v4.sin_addr) != 1) return -1;
  const auto* where = ipv6 ? reinterpret_cast<const sockaddr*>(&v6) : reinterpret_cast<const sockaddr*>(&v4);
  if (::bind(fd, where, ipv6 ? sizeof v6 : sizeof v4) == 0 && ::listen(fd, 8) == 0) return fd;
  ::close(fd);
  return -1;
}

std::uint16_t port_of(int fd) {
  sockaddr_in6 address{};
  socklen_t size = sizeof address;
  if (fd < 0 || ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.sin6_port);  // at the same place in both families
}

class Tree {
 public:
  // `body` runs in the main process and returns a socket that listens, or -1 when it has none itself.
  template <typename Body>
  explicit Tree(Body body) {
    std::array<int, 2> life{};
    std::array<int, 2> told{};
    EXPECT_EQ(::pipe(life.data()), 0);
    EXPECT_EQ(::pipe(told.data()), 0);
    shim_ = ::fork();
    if (shim_ == 0) {
      ::close(life[1]);
      ::close(told[0]);
      run_shim(life[0], told[1], body);
    }
    ::close(life[0]);
    ::close(told[1]);
    life_ = Fd(life[1]);
    const Fd reading(told[0]);
    Report report;
    EXPECT_EQ(::read(reading.get(), &report, sizeof report), static_cast<ssize_t>(sizeof report));
    main = report.main;
    port = report.port;
  }
  ~Tree() {
    life_.reset();
    ::waitpid(shim_, nullptr, 0);
  }
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  Answer look_at(const char* host) const {
    SocketHolders holders;
    return look({.address = *local_address(host), .port = port, .main = main}, holders);
  }

  // For bodies: a process of its own below the caller that runs `child` and lives until the end; `told` when it is ready.
  template <typename Child>
  static int in_child(Child child, bool orphan = false) {
    std::array<int, 2> ready{};
    if (::pipe(ready.data()) != 0) return -1;
    const pid_t pid = ::fork();
    if (pid == 0) {
      if (orphan) {
        ::setsid();
        if (::fork() != 0) ::_exit(0);
      }
      const std::uint16_t port = port_of(child());
      if (::write(ready[1], &port, sizeof port) < 0) ::_exit(1);
      until_the_end();
    }
    ::close(ready[1]);
    if (orphan) ::waitpid(pid, nullptr, 0);
    std::uint16_t port = 0;
    if (::read(ready[0], &port, sizeof port) != static_cast<ssize_t>(sizeof port)) port = 0;
    told_port = port;
    return -1;
  }

  pid_t main = 0;
  std::uint16_t port = 0;

 private:
  struct Report {
    pid_t main = 0;
    std::uint16_t port = 0;
  };
  [[noreturn]] static void until_the_end() {
    char byte = 0;
    while (::read(life_of_all, &byte, 1) > 0) {
    }
    ::_exit(0);
  }
  template <typename Body>
  [[noreturn]] static void run_shim(int life, int told, const Body& body) {
    life_of_all = life;
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    ::prctl(PR_SET_NAME, "azora-shim");
    if (::fork() == 0) {
      ::prctl(PR_SET_NAME, "some-service");
      const std::uint16_t own = port_of(body());
      const Report report{::getpid(), own != 0 ? own : told_port};
      if (::write(told, &report, sizeof report) < 0) ::_exit(1);
      until_the_end();
    }
    while (::wait(nullptr) > 0) {
    }
    ::_exit(0);
  }

  static inline int life_of_all = -1;
  static inline std::uint16_t told_port = 0;

  pid_t shim_ = -1;
  Fd life_;
};

std::string self() { return "pid " + std::to_string(::getpid()) + " (" + name_of(::getpid()) + ")"; }

TEST(Look, R52TheListenerOfMainIsTheServicesByEveryFamily) {
  EXPECT_EQ(Tree([] { return listen_at("127.0.0.1"); }).look_at("127.0.0.1").kind, Kind::ours);
  EXPECT_EQ(Tree([] { return listen_at("0.0.0.0"); }).look_at("localhost").kind, Kind::ours);
  EXPECT_EQ(Tree([] { return listen_at("::1"); }).look_at("::1").kind, Kind::ours);
  const Tree both([] { return listen_at("::"); });
  for (const char* host : {"127.0.0.1", "::1", "localhost", "0.0.0.0", "::"}) {
    EXPECT_EQ(both.look_at(host).kind, Kind::ours) << host;
    EXPECT_EQ(both.look_at(host).beside, "") << host;
  }
  const Tree only([] { return listen_at("::", 0, kOnlyIpv6); });
  EXPECT_EQ(only.look_at("::1").kind, Kind::ours);
  EXPECT_EQ(only.look_at("127.0.0.1").kind, Kind::no_listener);
}

TEST(Look, R52AWorkersListenerIsTheServices) {
  const Tree worker([] { return Tree::in_child([] { return listen_at("127.0.0.1"); }); });
  EXPECT_EQ(worker.look_at("127.0.0.1").kind, Kind::ours);
}

TEST(Look, R52AnInheritedListenerIsTheServicesAlsoWhenMainHasClosedIt) {
  const Tree inherited([] {
    const int fd = listen_at("127.0.0.1");
    Tree::in_child([fd] { return fd; });
    ::close(fd);
    return -1;
  });
  EXPECT_EQ(inherited.look_at("127.0.0.1").kind, Kind::ours);
}

TEST(Look, R52ADoubleForkedChildInASessionOfItsOwnCounts) {
  const Tree orphan([] { return Tree::in_child([] { return listen_at("127.0.0.1"); }, true); });
  ASSERT_NE(orphan.port, 0);
  EXPECT_EQ(orphan.look_at("127.0.0.1").kind, Kind::ours);
}

TEST(Look, R52AStrangerIsNamedBeforeTheStartAndBesideARunOfIt) {
  Tree idle([] { return -1; });
  const Fd stranger(listen_at("127.0.0.1"));
  idle.port = port_of(stranger.get());
  const Answer running = idle.look_at("127.0.0.1");
  EXPECT_EQ(running.kind, Kind::foreign);
  EXPECT_EQ(running.holder, self());
  SocketHolders holders;
  const Answer nothing = look({.address = *local_address("127.0.0.1"), .port = idle.port, .main = 0}, holders);
  EXPECT_EQ(nothing.kind, Kind::foreign);
  EXPECT_EQ(nothing.holder, self());
}

TEST(Look, R52OneSearchFindsTheHoldersOfAll) {
  const Tree idle([] { return -1; });
  const Fd first(listen_at("127.0.0.1"));
  const Fd second(listen_at("127.0.0.1"));
  SocketHolders holders;
  for (const Fd* stranger : {&first, &second, &first}) {
    const std::uint16_t port = port_of(stranger->get());
    EXPECT_EQ(look({.address = *local_address("127.0.0.1"), .port = port, .main = idle.main}, holders).holder, self());
  }
  EXPECT_EQ(holders.searches(), 1U);
  // What has gone since is not given.
  struct stat socket {};
  ASSERT_EQ(::fstat(first.get(), &socket), 0);
  const auto any = [](pid_t) { return false; };
  EXPECT_EQ(holders.find(socket.st_ino, any), ::getpid());
  Fd gone(listen_at("127.0.0.1"));
  ASSERT_EQ(::fstat(gone.get(), &socket), 0);
  EXPECT_EQ(holders.find(socket.st_ino, any), ::getpid());
  EXPECT_EQ(holders.searches(), 2U);
  gone.reset();
  EXPECT_EQ(holders.find(socket.st_ino, any), std::nullopt);
}

TEST(Look, R52WhereNothingListensNobodyDoes) {
  const Tree one([] { return listen_at("127.0.0.1"); });
  EXPECT_EQ(one.look_at("::1").kind, Kind::no_listener);
  EXPECT_EQ(one.look_at("127.0.0.2").kind, Kind::no_listener);
}

TEST(Look, R52AStrangerThatSharesThePortIsOnlyNamed) {
  const Tree sharing([] { return listen_at("127.0.0.1", 0, kReusePort); });
  const Fd stranger(listen_at("127.0.0.1", sharing.port, kReusePort));
  ASSERT_TRUE(stranger);
  const Answer answer = sharing.look_at("127.0.0.1");
  EXPECT_EQ(answer.kind, Kind::ours);
  EXPECT_EQ(answer.beside, self());
}

TEST(Look, R52AStrangerAtTheVeryAddressAnswersBeforeAServiceAtAll) {
  const Tree all([] { return listen_at("0.0.0.0", 0, kReusePort); });
  const Fd stranger(listen_at("127.0.0.1", all.port, kReusePort));
  ASSERT_TRUE(stranger);
  EXPECT_EQ(all.look_at("127.0.0.1").holder, self());
  EXPECT_EQ(all.look_at("127.0.0.2").kind, Kind::ours);
}

TEST(Look, R52AProcessWithANetworkOfItsOwnIsNotVerified) {
  const Tree apart([] { return ::unshare(CLONE_NEWNET) == 0 ? listen_at("0.0.0.0") : -1; });
  if (apart.port == 0) GTEST_SKIP() << "this user may not make a network namespace";
  const Answer answer = apart.look_at("127.0.0.1");
  EXPECT_EQ(answer.kind, Kind::unverified);
  EXPECT_NE(answer.reason.find("network namespace"), std::string::npos) << answer.reason;
}

TEST(Look, R52ASocketMadeInTheServicesCgroupIsItsOwn) {
  namespace fs = std::filesystem;
  fs::path folder;
  for (const char* mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    if (fs::exists(fs::path(mount) / "cgroup.procs") && fs::exists(fs::path(mount) / "cgroup.controllers")) {
      folder = fs::path(mount) / ("azora-looktest-" + std::to_string(::getpid()));
    }
  }
  std::error_code failed;
  if (folder.empty() || !fs::create_directory(folder, failed)) GTEST_SKIP() << "no cgroup v2 folder may be made here";
  {
    const Tree inside([&folder] {
      std::ofstream(folder / "cgroup.procs") << ::getpid() << std::flush;
      return listen_at("127.0.0.1");
    });
    const std::uint64_t cgroup = service_cgroup_of(inside.main);
    EXPECT_NE(cgroup, 0U);
    const auto found = ask_socket_diag(inside.port);
    ASSERT_TRUE(found.has_value());
    const auto is_there = [cgroup](const Listener& one) { return one.cgroup == cgroup; };
    EXPECT_TRUE(std::any_of(found->begin(), found->end(), is_there));
    // By the cgroup alone: no process holds the socket 0.
    SocketHolders holders;
    ProcOwners owners(inside.main, holders);
    EXPECT_EQ(owners.whose({.cgroup = cgroup}), Owners::Whose::service);
    EXPECT_EQ(owners.whose({.cgroup = cgroup + 1}), Owners::Whose::other);
    EXPECT_EQ(service_cgroup_of(::getpid()), 0U);
  }
  EXPECT_TRUE(fs::remove(folder, failed)) << failed.message();
}

// In a child without rights, with a service that lets nobody look into it: what `listener_user` listens with is its own,
// another's or not known.
Kind of_user(uid_t listener_user) {
  constexpr uid_t kUser = 65'533;
  EXPECT_EQ(::seteuid(listener_user), 0);
  const Fd stranger(listen_at("127.0.0.1"));  // its user is noted; we hold it as root
  EXPECT_EQ(::seteuid(0), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const std::uint16_t port = port_of(stranger.get());
    ::close(stranger.get());
    if (::setresuid(kUser, kUser, kUser) != 0) ::_exit(100);
    ::prctl(PR_SET_DUMPABLE, 1);
    Tree closed([] {
      ::prctl(PR_SET_DUMPABLE, 0);
      return -1;
    });
    closed.port = port;
    ::_exit(static_cast<int>(closed.look_at("127.0.0.1").kind));
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) < 100);
  return static_cast<Kind>(WEXITSTATUS(status));
}

TEST(Look, R52WhoMadeASocketProvesAStrangerWhereNobodyMayLook) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be several users";
  EXPECT_EQ(of_user(65'532), Kind::foreign);
  EXPECT_EQ(of_user(65'533), Kind::unverified) << "it may be the service's";
  EXPECT_EQ(of_user(0), Kind::unverified) << "it may have had root's rights when it made it";
}

TEST(Look, R52ANameThatTheHostsFileDoesNotKnowIsNotVerified) {
  const Tree named([] { return listen_at("127.0.0.1"); });
  SocketHolders holders;
  const Answer answer = look({.port = named.port, .main = named.main, .name = "no-such-name.example"}, holders);
  EXPECT_EQ(answer.kind, Kind::unverified);
  EXPECT_EQ(answer.reason, "/etc/hosts has no loopback address for the name no-such-name.example");
  const auto localhost = look({.port = named.port, .main = named.main, .name = "localhost"}, holders);
  EXPECT_EQ(localhost.kind, std::ifstream("/etc/hosts") ? Kind::ours : Kind::unverified);
}

TEST(Look, R52OneListOfAThousandSocketsShowsTheOneThatChanged) {
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 4'096);
  ::setrlimit(RLIMIT_NOFILE, &files);
  std::vector<Fd> sockets;
  std::vector<Seen> seen;
  for (std::uint64_t serial = 0; serial < 1'000; ++serial) {
    sockets.emplace_back(listen_at("127.0.0.1"));
    const std::uint16_t port = port_of(sockets.back().get());
    ASSERT_NE(port, 0);
    const auto found = ask_socket_diag(port);
    ASSERT_TRUE(found);
    seen.push_back({.serial = serial, .port = port, .sockets = fingerprint(*found)});
  }
  const auto before = std::chrono::steady_clock::now();
  EXPECT_TRUE(find_changed(seen).empty());
  const auto took = std::chrono::steady_clock::now() - before;
  std::cout << "1,000 listeners: " << std::chrono::duration<double, std::milli>(took).count() << " ms\n";
  sockets[500].reset();
  const Fd other(listen_at("127.0.0.1", seen[500].port));
  ASSERT_TRUE(other);
  EXPECT_EQ(find_changed(seen), std::vector<Seen>{seen[500]});
}

// Others may listen on the same port of another address meanwhile.
std::vector<Listener> of_inode(const std::vector<Listener>& all, std::uint64_t inode) {
  std::vector<Listener> found;
  std::copy_if(all.begin(), all.end(), std::back_inserter(found), [inode](const Listener& one) { return one.inode == inode; });
  return found;
}

TEST(Look, R52BothSourcesOfTheKernelSayTheSame) {
  for (const char* address : {"127.0.0.1", "127.1.2.3", "::1", "::"}) {
    const Fd fd(listen_at(address));
    const std::uint16_t port = port_of(fd.get());
    const auto all_diag = ask_socket_diag(port);
    const auto all_proc = read_proc_net(port);
    ASSERT_TRUE(all_diag && all_proc) << address;
    struct stat own {};
    ASSERT_EQ(::fstat(fd.get(), &own), 0);
    const std::vector<Listener> diag = of_inode(*all_diag, own.st_ino);
    const std::vector<Listener> proc = of_inode(*all_proc, own.st_ino);
    ASSERT_EQ(diag.size(), 1U) << address;
    ASSERT_EQ(proc.size(), 1U) << address;
    EXPECT_EQ(diag.front().address, proc.front().address) << address;
    EXPECT_EQ(diag.front().ipv6, proc.front().ipv6) << address;
    EXPECT_EQ(diag.front().uid, proc.front().uid) << address;
    EXPECT_EQ(diag.front().port, port) << address;
    EXPECT_EQ(fingerprint(diag), fingerprint(proc)) << address;
    EXPECT_EQ(holds_socket(::getpid(), own.st_ino), Holds::yes) << address;
  }
}

}  // namespace
}  // namespace azora::listeners
