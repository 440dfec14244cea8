// What a service finds when it starts, and what is said when it cannot.
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "azora/keeper/env_file.hpp"
#include "keeper/program_rig.hpp"

namespace azora::keeper {
namespace {

class ProgramSpawn : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override { rig.start_keeper(); }

  // What the script printed, once all of it has ended.
  std::string output_of(LaunchRequest request) {
    const Record swept = rig.launch_and_await(request, Phase::swept);
    EXPECT_EQ(swept.phase, Phase::swept) << static_cast<int>(swept.failed_step) << " " << swept.failed_error;
    EXPECT_EQ(swept.exit_value, 0);
    return rig.log_of(request.serial);
  }
  std::string output_of(const std::string& script) { return output_of(rig.shell(1, script)); }
  Record failure_of(const LaunchRequest& request) {
    Record record = rig.launch_and_await(request, Phase::start_failed);
    EXPECT_EQ(record.phase, Phase::start_failed);
    return record;
  }
  LaunchRequest command(std::vector<std::string> argv) {
    LaunchRequest request = rig.shell(1, "");
    request.argv = std::move(argv);
    return request;
  }
  std::filesystem::path beside(const std::string& name, const std::string& text, unsigned mode = 0600) {
    const std::filesystem::path path = rig.dir.parent_path() / name;
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }

  ProgramRig rig{{.cgroup = GetParam()}};
};
INSTANTIATE_TEST_SUITE_P(Cgroup, ProgramSpawn, testing::Values(true, false),
                         [](const auto& test) { return test.param ? "with" : "without"; });

TEST_P(ProgramSpawn, OnlyTheStandardDescriptorsAreOpen) {
  EXPECT_EQ(output_of("for fd in $(seq 0 1000); do [ -e /proc/$$/fd/$fd ] && echo $fd; done; true"), "0\n1\n2\n");
}

TEST_P(ProgramSpawn, KeeperAndShimHoldNothingOfTheOrchestrator) {
  const std::string path = std::filesystem::canonical(beside("careless", ""));
  const TestFd careless(::open(path.c_str(), O_RDONLY));  // not close-on-exec
  rig.start_keeper();
  rig.launch_and_await(rig.shell(1, "exec sleep 1000"));
  for (const pid_t pid : {rig.keeper_pid, rig.shim_of(1)}) {
    for (const auto& fd : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
      EXPECT_NE(std::filesystem::read_symlink(fd), path) << pid;
    }
  }
}

TEST_P(ProgramSpawn, StandardInputIsTheNullDevice) {
  EXPECT_EQ(output_of("readlink /proc/$$/fd/0; cat"), "/dev/null\n");
}

TEST_P(ProgramSpawn, Rule58ADollarInTheFileIsLiteral) {
  LaunchRequest request = command({"env"});
  request.env_before = {"PATH=/usr/bin:/bin", "MARK=" + rig.mark, "HOME=/h"};
  request.env_file = beside("env", "A=$HOME/a\nB=${A}b\nC='$A'\n");
  EXPECT_EQ(output_of(request), "PATH=/usr/bin:/bin\nMARK=" + rig.mark + "\nHOME=/h\nA=$HOME/a\nB=${A}b\nC=$A\n");
}

TEST_P(ProgramSpawn, Rule58TheyAreExpandedInOrder) {
  LaunchRequest request = command({"env"});
  request.env_before = {"PATH=/usr/bin:/bin", "MARK=" + rig.mark, "HOME=/h"};
  request.env_file = beside("env", "A=$HOME/a\nB=${A}b\nC='$A'\n");
  request.env_expand = true;
  EXPECT_EQ(output_of(request), "PATH=/usr/bin:/bin\nMARK=" + rig.mark + "\nHOME=/h\nA=/h/a\nB=/h/ab\nC=$A\n");
}

TEST_P(ProgramSpawn, Rule58AFileThatGrowsTooLargeIsNamedByItsLine) {
  LaunchRequest request = command({"env"});
  const std::string large(kMaxEnvFile / 2, 'x');
  request.env_before = {"PATH=/usr/bin:/bin", "MARK=" + rig.mark};
  request.env_file = beside("env", "A=" + large + "\nB=$A\nC=$A\n");
  request.env_expand = true;
  const Record failed = failure_of(request);
  EXPECT_EQ(failed.failed_step, SpawnStep::env_file);
  EXPECT_EQ(failed.failed_error, static_cast<int>(EnvFault::too_large));
  EXPECT_EQ(failed.failed_detail, 2U);
}

TEST_P(ProgramSpawn, TheEnvironmentIsExactlyWhatWasAskedFor) {
  LaunchRequest request = command({"env"});
  request.env_before = {"PATH=/usr/bin:/bin", "MARK=" + rig.mark, "A=before", "B=before", "EMPTY="};
  request.env_file = beside("env", "B=file\nC='from file'\nD=file\n");
  request.env_after = {"D=after", "E=x=y", "D=last"};
  EXPECT_EQ(output_of(request), "PATH=/usr/bin:/bin\nMARK=" + rig.mark +
                                    "\nA=before\nB=file\nEMPTY=\nC=from file\nD=last\nE=x=y\n");
}

TEST_P(ProgramSpawn, ArgumentsArriveAsTheyAre) {
  LaunchRequest request = command({"printf", "<%s>", "", "a b", "\xff\n$HOME", "*"});
  EXPECT_EQ(output_of(request), "<><a b><\xff\n$HOME><*>\n");
}

TEST_P(ProgramSpawn, WorkingDirectoryAndUmask) {
  LaunchRequest request = rig.shell(1, "pwd; umask");
  request.cwd = std::filesystem::canonical(rig.dir.parent_path());
  request.umask = 027;
  EXPECT_EQ(output_of(request), request.cwd + "\n0027\n");
}

TEST_P(ProgramSpawn, LimitsAreSet) {
  LaunchRequest request = rig.shell(1, "ulimit -Sn; ulimit -Hn; ulimit -Hc");
  request.limits = {{RLIMIT_NOFILE, 64, 128}, {RLIMIT_CORE, 0, 0}};
  EXPECT_EQ(output_of(request), "64\n128\n0\n");
}

TEST_P(ProgramSpawn, OtherLimitsAreThoseOfTheOrchestrator) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit lower{256, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &lower), 0);
  rig.start_keeper();  // which takes more for itself
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(output_of("ulimit -Sn"), "256\n");
}

TEST_P(ProgramSpawn, NoNewPrivileges) {
  EXPECT_EQ(output_of("grep NoNewPrivs /proc/self/status"), "NoNewPrivs:\t1\n");
  LaunchRequest request = rig.shell(2, "grep NoNewPrivs /proc/self/status");
  request.no_new_privs = false;
  EXPECT_EQ(output_of(request), "NoNewPrivs:\t0\n");
}

TEST_P(ProgramSpawn, SignalsAreUnblockedAndDefault) {
  // Asked of a program that sets up no handlers itself. What the orchestrator ignores must not show.
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGHUP, &ignore, &before);
  {
    ProgramRig ours({.cgroup = GetParam()});
    ours.start_keeper();
    ours.launch_and_await(ours.shell(1, "exec cat /proc/self/status"), Phase::swept);
    EXPECT_THAT(ours.log_of(1), testing::HasSubstr("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nSigCgt:\t0000000000000000\n"));
  }
  ::sigaction(SIGHUP, &before, nullptr);
}

TEST_P(ProgramSpawn, ASessionOfItsOwn) {
  const Record swept = rig.launch_and_await(rig.shell(1, "ps -o sid=,pgid= -p $$ | tr -s ' '"), Phase::swept);
  const std::string pid = std::to_string(swept.pid);
  EXPECT_THAT(rig.log_of(1), testing::HasSubstr(pid + " " + pid + "\n"));
}

TEST_P(ProgramSpawn, AnotherUserWithItsGroups) {
  if (::getuid() != 0) GTEST_SKIP() << "only root may switch users";
  LaunchRequest request = command({"/bin/sh", "-c", "id -u; id -g; id -G; grep NoNewPrivs /proc/self/status"});
  request.switch_user = true;
  request.uid = 65534;
  request.gid = 65534;
  request.groups = {65534, 12345};
  EXPECT_EQ(output_of(request), "65534\n65534\n65534 12345\nNoNewPrivs:\t1\n");
}

TEST_P(ProgramSpawn, AServiceOfAnotherUserDiesWithItsShim) {
  if (::getuid() != 0) GTEST_SKIP() << "only root may switch users";
  LaunchRequest request = command({"/bin/sleep", "1000"});
  request.switch_user = true;
  request.uid = request.gid = 65534;
  const Record started = rig.launch_and_await(request);
  ASSERT_EQ(signal_process(rig.shim_of(1), SIGKILL), 0);
  EXPECT_EQ(rig.await(1, Phase::lost).phase, Phase::lost);
  EXPECT_TRUE(is_gone(started.pid));
}

TEST_P(ProgramSpawn, TheFirstArgumentIsLookedUpOnTheServicesPath) {
  const auto bin = rig.dir.parent_path() / "bin";
  std::filesystem::create_directory(bin);
  beside("bin/azora-test-tool", "#!/bin/sh\necho found\n", 0700);
  LaunchRequest request = command({"azora-test-tool"});
  request.env_after = {"PATH=/nonexistent:" + bin.string()};
  EXPECT_EQ(output_of(request), "found\n");
}

TEST_P(ProgramSpawn, WhatIsNotThereOrMayNotRun) {
  Record failed = failure_of(command({"azora-no-such-program"}));
  EXPECT_EQ(failed.failed_step, SpawnStep::search);
  EXPECT_EQ(failed.failed_error, ENOENT);
  LaunchRequest request = command({"/nonexistent/program"});
  request.incarnation = 2;
  failed = failure_of(request);
  EXPECT_EQ(failed.failed_step, SpawnStep::exec);
  EXPECT_EQ(failed.failed_error, ENOENT);
  EXPECT_EQ(failed.failed_detail, 0U);
  request = command({beside("plain", "text", 0600)});
  request.incarnation = 3;
  failed = failure_of(request);
  EXPECT_EQ(failed.failed_step, SpawnStep::exec);
  EXPECT_EQ(failed.failed_error, EACCES);
  request = command({beside("script", "#!/nonexistent/interpreter\n", 0700)});
  request.incarnation = 4;
  failed = failure_of(request);
  EXPECT_EQ(failed.failed_step, SpawnStep::exec);
  EXPECT_EQ(failed.failed_error, ENOENT);
  EXPECT_EQ(failed.failed_detail, 1U);
  request = command({beside("binary", std::string("\x7f" "ELF nonsense"), 0700)});
  request.incarnation = 5;
  failed = failure_of(request);
  EXPECT_EQ(failed.failed_step, SpawnStep::exec);
  EXPECT_EQ(failed.failed_error, ENOEXEC);
}

TEST_P(ProgramSpawn, AMissingWorkingDirectory) {
  LaunchRequest request = rig.shell(1, "exit 0");
  request.cwd = "/nonexistent/folder";
  const Record failed = failure_of(request);
  EXPECT_EQ(failed.failed_step, SpawnStep::chdir);
  EXPECT_EQ(failed.failed_error, ENOENT);
}

TEST_P(ProgramSpawn, ALimitThatIsRefused) {
  LaunchRequest request = rig.shell(1, "exit 0");
  request.limits = {{RLIMIT_CORE, 0, 0}, {RLIMIT_NOFILE, 64, std::uint64_t{1} << 40}};  // above fs.nr_open
  const Record failed = failure_of(request);
  EXPECT_EQ(failed.failed_step, SpawnStep::rlimit);
  EXPECT_EQ(failed.failed_error, EPERM);
  EXPECT_EQ(failed.failed_detail, static_cast<std::uint32_t>(RLIMIT_NOFILE));
}

TEST_P(ProgramSpawn, AnEnvironmentFileThatIsMissingOrWrong) {
  LaunchRequest request = rig.shell(1, "exit 0");
  request.env_file = "/nonexistent/env";
  Record failed = failure_of(request);
  EXPECT_EQ(failed.failed_step, SpawnStep::env_file);
  EXPECT_EQ(failed.failed_error, ENOENT);
  EXPECT_EQ(failed.failed_detail, 0U);
  request.env_file = beside("env", "A=1\n\nnonsense\n");
  request.incarnation = 2;
  failed = failure_of(request);
  EXPECT_EQ(failed.failed_step, SpawnStep::env_file);
  EXPECT_EQ(failed.failed_detail, 3U);
  EXPECT_EQ(failed.failed_error, static_cast<int>(EnvFault::no_equals));
  request.env_file = beside("large", std::string(kMaxEnvFile, '\n'));
  request.incarnation = 3;
  failed = failure_of(request);
  EXPECT_EQ(failed.failed_error, EFBIG);
  EXPECT_EQ(failed.failed_detail, 0U);
}

TEST_P(ProgramSpawn, AnArgumentTooLongForTheKernel) {
  LaunchRequest request = command({"true", std::string(150 * 1024, 'x')});  // over MAX_ARG_STRLEN
  const Record failed = failure_of(request);
  EXPECT_EQ(failed.failed_step, SpawnStep::exec);
  EXPECT_EQ(failed.failed_error, E2BIG);
}

TEST_P(ProgramSpawn, AnArgumentListAsLargeAsAFrame) {
  LaunchRequest request = command({"sh", "-c", "echo $#", "sh"});
  for (int i = 0; i < 1800; ++i) request.argv.push_back(std::string(100, 'x'));
  EXPECT_EQ(output_of(request), "1800\n");
}

TEST_P(ProgramSpawn, AFailedStartIsFollowedByAnotherTry) {
  failure_of(command({"azora-no-such-program"}));
  rig.say(FrameType::ack, 1);
  EXPECT_EQ(rig.launch_and_await(rig.shell(1, "exec sleep 1000", 2)).phase, Phase::running);
}

}  // namespace
}  // namespace azora::keeper
