// R59 with the real shim: output that cannot be written is said with its reason, and the place where it is missing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>

#include "azora/keeper/log_reader.hpp"
#include "keeper/file_watch.hpp"
#include "keeper/program_rig.hpp"

namespace azora::keeper {
namespace {

class ProgramLogLoss : public testing::Test {
 protected:
  // `go` waits for go(); while the former writer has not closed the pipe yet, read finds its end.
  LaunchRequest shell(ProgramRig& rig, const std::string& script) {
    const std::string gate = (rig.dir.parent_path() / "gate").string();
    make_fifo(gate);
    const std::string prelude = "go() { until read -r x < $GATE; do :; done; }; ";
    LaunchRequest request = rig.shell(1, prelude + script + "; exec sleep 1000");
    request.env_after = {"GATE=" + gate};
    request.log_max_bytes = 1 << 20;
    request.log_files = 5;
    return request;
  }
  void go(ProgramRig& rig) { write_line(rig.dir.parent_path() / "gate", "go"); }
};

TEST_F(ProgramLogLoss, R59WhatIsLostIsToldWithItsReasonAndWritingGoesOnBehindTheGap) {
  ProgramRig rig;
  rig.start_keeper();
  std::filesystem::create_directories(rig.folder(1) / "log.1");
  const std::int64_t before = std::chrono::system_clock::now().time_since_epoch() / std::chrono::milliseconds(1);
  rig.launch_and_await(shell(rig, "echo lost; echo lost; go; echo lost; go; echo kept; echo kept; go; echo more"));
  const auto loss = [&]() -> const LogLoss& { return rig.records[1].log_loss; };
  ASSERT_TRUE(rig.read_until([&] { return loss().lines == 2; }));
  EXPECT_EQ(loss().error, EISDIR);
  EXPECT_EQ(loss().bytes, 10U);
  EXPECT_TRUE(loss().goes_on);
  EXPECT_GE(loss().since_wall_ms, before);
  const std::int64_t since = loss().since_wall_ms;
  go(rig);
  ASSERT_TRUE(rig.read_until([&] { return loss().lines == 3; }));
  EXPECT_EQ(loss().since_wall_ms, since);  // the same loss goes on
  std::filesystem::remove(rig.folder(1) / "log.1");
  go(rig);
  ASSERT_TRUE(rig.read_until([&] { return !loss().goes_on; }));
  EXPECT_EQ(rig.records[1].log_dropped, 3U);
  go(rig);
  EXPECT_TRUE(FileWatch(rig.folder(1)).until([&] { return rig.log_of(1) == "kept\nkept\nmore\n"; })) << rig.log_of(1);
  const LogPart part = LogReader(rig.folder(1)).tail(10);
  ASSERT_EQ(part.gaps.size(), 1U);
  EXPECT_EQ(part.gaps[0].at, 0U);
  EXPECT_EQ(part.gaps[0].loss, (LogLoss{.lines = 3, .bytes = 15, .since_wall_ms = since, .error = EISDIR}));
  EXPECT_GE(part.gaps[0].until_wall_ms, since);
}

TEST_F(ProgramLogLoss, R59AFullDiskLosesWholeLinesAndIsNamed) {
  if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    GTEST_SKIP() << "a small disk cannot be mounted here";
  }
  ProgramRig rig;
  if (::mount("small", rig.dir.c_str(), "tmpfs", 0, "size=64k,mode=700") != 0) {
    GTEST_SKIP() << "no tmpfs can be mounted here";
  }
  rig.start_keeper();
  rig.launch_and_await(shell(rig, "i=0; while [ $i -lt 200 ]; do printf '%01000d\\n' $i; i=$((i+1)); done;"
                                  "printf half; go; echo ' a line'; echo done > $FIFO"));
  ASSERT_TRUE(rig.read_until([&] { return rig.records[1].log_loss.lines > 100; }));
  EXPECT_EQ(rig.records[1].log_loss.error, ENOSPC);
  std::string text = rig.log_of(1);
  if (text.ends_with("half")) text.resize(text.size() - 4);  // for that there may be room
  EXPECT_GT(text.size(), 30'000U);
  EXPECT_EQ(text.size() % 1001, 0U);
  std::filesystem::resize_file(rig.folder(1) / "log.1", 0);  // its user makes room
  go(rig);
  EXPECT_EQ(rig.line(), "done");
  EXPECT_TRUE(FileWatch(rig.folder(1)).until([&] { return rig.log_of(1) == "half a line\n"; })) << rig.log_of(1);
  ASSERT_TRUE(rig.read_until([&] { return !rig.records[1].log_loss.goes_on; }));
  const LogPart part = LogReader(rig.folder(1), true).tail(10);
  EXPECT_THAT(part.text, testing::MatchesRegex("....-..-..T..:..:..\\....Z half a line\n"));
  ASSERT_EQ(part.gaps.size(), 1U);
  EXPECT_EQ(part.gaps[0].loss.error, ENOSPC);
  EXPECT_EQ(part.gaps[0].loss.lines, rig.records[1].log_dropped);
  rig.end_orchestrator();
  EXPECT_TRUE(wait_gone(rig.records[1].pid));
  for (const pid_t pid : marked_processes(rig.mark)) EXPECT_TRUE(wait_gone(pid));
  ::umount2(rig.dir.c_str(), MNT_DETACH);
}

}  // namespace
}  // namespace azora::keeper
