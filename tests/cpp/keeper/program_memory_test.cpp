// process.memoryLimit as the shim keeps it: by a memory cgroup where there is one, else by the address space of each
// process. The cgroup is a folder made for the test, since not every machine gives one: what the shim writes there
// and what it makes of the kernel's counts.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "keeper/program_rig.hpp"
#include "support/built.hpp"

namespace azora::keeper {
namespace {

constexpr std::uint64_t kLimit = 64 * 1024 * 1024;

class ProgramMemory : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override { rig.start_keeper(); }
  // Ends with 0 when it could use 200 MB.
  LaunchRequest hungry(std::uint64_t serial) const {
    LaunchRequest request = rig.shell(serial, "dd if=/dev/zero of=/dev/null bs=200M count=1");
    request.memory_limit = kLimit;
    return request;
  }
  ProgramRig rig{{.cgroup = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(Cgroup, ProgramMemory, testing::Values(true, false),
                         [](const auto& test) { return test.param ? "with" : "without"; });

TEST_P(ProgramMemory, WhatNeedsMoreThanItsLimitDoesNotGetIt) {
  const Record unlimited = [&] {
    LaunchRequest request = hungry(1);
    request.memory_limit = 0;
    return rig.launch_and_await(request, Phase::swept);
  }();
  EXPECT_EQ(unlimited.exit_kind, ExitKind::code);
  EXPECT_EQ(unlimited.exit_value, 0);
  EXPECT_EQ(unlimited.memory_bound, MemoryBound::none);
  const Record limited = rig.launch_and_await(hungry(2), Phase::swept);
  if (limited.memory_bound == MemoryBound::cgroup) {
    EXPECT_EQ(limited.exit_value, SIGKILL);
    EXPECT_EQ(limited.oom, Oom::yes);
  } else {
    EXPECT_EQ(limited.memory_bound, MemoryBound::address_space);
    EXPECT_EQ(limited.exit_kind, ExitKind::code);
    EXPECT_NE(limited.exit_value, 0);
    EXPECT_NE(limited.oom, Oom::yes);
  }
}

TEST(ProgramMemoryLimits, AddressesAreLimitedForGoodAndNeverRaised) {
  ProgramRig rig({.cgroup = false});
  rig.start_keeper();
  LaunchRequest request = rig.shell(1, "ulimit -Sv; ulimit -Hv");
  request.memory_limit = kLimit;
  EXPECT_EQ(rig.launch_and_await(request, Phase::swept).memory_bound, MemoryBound::address_space);
  EXPECT_EQ(rig.log_of(1), "65536\n65536\n");
  LaunchRequest lower = rig.shell(2, "ulimit -Sv; ulimit -Hv");
  lower.memory_limit = kLimit;
  lower.limits = {{RLIMIT_AS, kLimit / 2, kLimit * 2}};
  rig.launch_and_await(lower, Phase::swept);
  EXPECT_EQ(rig.log_of(2), "32768\n131072\n");
}

// One shim, spoken to as a keeper does, whose cgroup is a folder of plain files.
class FakeCgroup : public testing::Test {
 protected:
  FakeCgroup() {
    std::string path = (std::filesystem::temp_directory_path() / "azora-memory-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp");
    place = path;
    std::filesystem::create_directories(place / "run" / "1");
    std::filesystem::create_directory(cgroup());
    for (const char* name : {"cgroup.procs", "cgroup.kill"}) std::ofstream(cgroup() / name) << "";
  }
  ~FakeCgroup() override {
    life.reset();  // the orchestrator has ended: so does the shim
    if (shim > 0) ::waitpid(shim, nullptr, 0);
    std::filesystem::remove_all(place);
  }
  std::filesystem::path cgroup() const { return place / "cgroup"; }
  void with_memory() const {
    for (const char* name : {"memory.max", "memory.oom.group"}) std::ofstream(cgroup() / name) << "";
    count_oom_kills(0);
  }
  void count_oom_kills(int kills) const { std::ofstream(cgroup() / "memory.events") << "oom 9\noom_kill " << kills << "\n"; }

  void start_shim() {
    const std::filesystem::path folder = place / "run" / "1";
    const TestFd listener(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (folder / kShimSocket).string().copy(address.sun_path, sizeof address.sun_path - 1);
    const auto* plain = reinterpret_cast<const sockaddr*>(&address);
    ASSERT_EQ(::bind(listener.get(), plain, sizeof address), 0);
    ASSERT_EQ(::listen(listener.get(), 1), 0);
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const TestFd orchestrator(::fcntl(ends[0], F_DUPFD_CLOEXEC, 20));
    const TestFd high_listener(::fcntl(listener.get(), F_DUPFD_CLOEXEC, 20));
    ::close(ends[0]);
    life.reset(ends[1]);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, high_listener.get(), 3);
    ::posix_spawn_file_actions_adddup2(&actions, orchestrator.get(), 4);
    ::posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
    const std::string path = cgroup();
    std::array<const char*, 7> argv{"azora-keeper", "shim", "ephemeral", path.c_str(), "1", "orders", nullptr};
    std::array<const char*, 1> env{nullptr};
    ASSERT_EQ(::posix_spawn(&shim, kKeeperProgram, &actions, nullptr, const_cast<char**>(argv.data()),
                            const_cast<char**>(env.data())), 0);
    ::posix_spawn_file_actions_destroy(&actions);
    link.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::connect(link.get(), plain, sizeof address), 0);
    std::vector<std::uint8_t> frame(kMaxSmallFrame);
    frame.resize(write_hello(frame.data(), frame.size(), Hello{}, 1));
    send(frame);
  }
  void send(const std::vector<std::uint8_t>& frame) {
    ASSERT_EQ(::send(link.get(), frame.data(), frame.size(), MSG_NOSIGNAL), static_cast<ssize_t>(frame.size()));
  }
  Record run(const std::string& script, std::uint64_t limit, std::uint64_t incarnation = 1) {
    LaunchRequest request;
    request.serial = 1;
    request.incarnation = incarnation;
    request.id = "orders";
    request.argv = {"/bin/sh", "-c", script};
    request.memory_limit = limit;
    send(launch_frame(request, incarnation, 1));
    Record record;
    std::vector<std::uint8_t> frame(kMaxFrame);
    while (record.incarnation != incarnation || !is_over(record.phase)) {
      if (!wait_readable(link.get())) {
        ADD_FAILURE() << "no end of incarnation " << incarnation;
        break;
      }
      const ssize_t size = ::recv(link.get(), frame.data(), frame.size(), 0);
      if (size <= 0) break;
      Header header;
      if (!read_header(frame.data(), static_cast<std::size_t>(size), &header) || !is_record(header.type)) continue;
      EXPECT_TRUE(read_record(frame.data(), static_cast<std::size_t>(size), &record));
    }
    return record;
  }
  std::string written(const char* name) const { return file_text(cgroup() / name); }
  std::string log() const { return file_text(place / "run" / "1" / (std::string(kLogPrefix) + "1")); }

  std::filesystem::path place;
  TestFd life;
  TestFd link;
  pid_t shim = 0;
};

TEST_F(FakeCgroup, TheLimitIsTheCgroupsAndAddressesAreFree) {
  with_memory();
  start_shim();
  const Record record = run("ulimit -v", 100 * 1024 * 1024);
  EXPECT_EQ(record.memory_bound, MemoryBound::cgroup);
  EXPECT_TRUE(record.in_cgroup);
  EXPECT_EQ(written("memory.max"), "104857600");
  EXPECT_EQ(written("memory.oom.group"), "1");
  EXPECT_EQ(log(), "unlimited\n");
  EXPECT_EQ(record.oom, Oom::no);
}

TEST_F(FakeCgroup, AKillForWantOfMemoryIsToldFromOthers) {
  with_memory();
  start_shim();
  EXPECT_EQ(run("kill -9 $$", kLimit).oom, Oom::no);
  const std::string counted = "echo 'oom_kill 1' > " + (cgroup() / "memory.events").string();
  const Record killed = run(counted + "; kill -9 $$", kLimit, 2);
  EXPECT_EQ(killed.oom, Oom::yes);
  EXPECT_EQ(killed.exit_value, SIGKILL);
  // One killed by another signal, or before this incarnation, says nothing of it.
  EXPECT_EQ(run("kill -9 $$", kLimit, 3).oom, Oom::no);
}

TEST_F(FakeCgroup, WithoutALimitAFormerOneIsTakenBack) {
  with_memory();
  start_shim();
  const Record record = run("exit 0", 0);
  EXPECT_EQ(record.memory_bound, MemoryBound::none);
  EXPECT_EQ(written("memory.max"), "max");
}

TEST_F(FakeCgroup, WithoutAMemoryControllerAddressesAreLimited) {
  start_shim();
  const Record record = run("ulimit -v", kLimit);
  EXPECT_TRUE(record.in_cgroup);
  EXPECT_EQ(record.memory_bound, MemoryBound::address_space);
  EXPECT_EQ(record.oom, Oom::unknown);
  EXPECT_EQ(log(), "65536\n");
}

}  // namespace
}  // namespace azora::keeper
