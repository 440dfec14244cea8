// The output of a service in its log files: whole lines, bounded, counted when dropped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>

#include "azora/keeper/log_mark.hpp"
#include "keeper/program_rig.hpp"

namespace azora::keeper {
namespace {

using testing::HasSubstr;

class ProgramLog : public testing::Test {
 protected:
  void SetUp() override { rig.start_keeper(); }
  std::vector<std::filesystem::path> files() const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(rig.folder(1))) {
      const std::string name = entry.path().filename();
      if (name.starts_with(kLogPrefix) && !name.ends_with(kTimesSuffix)) found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  ProgramRig rig;
};

TEST_F(ProgramLog, BothStreamsInOrder) {
  rig.launch_and_await(rig.shell(1, "echo one; echo two >&2; printf three"), Phase::swept);
  EXPECT_EQ(rig.log_of(1), "one\ntwo\nthree\n");
}

TEST_F(ProgramLog, ALastLineWithoutEndIsKeptWhoeverClosesFirst) {
  rig.launch_and_await(rig.shell(1, "printf 'one\ntwo'; exec >/dev/null 2>&1; echo closed > $FIFO; exec sleep 1000"));
  EXPECT_EQ(rig.line(), "closed");
  rig.say(FrameType::kill, 1);
  rig.await(1, Phase::swept);
  EXPECT_EQ(rig.log_of(1), "one\ntwo\n");
}

TEST_F(ProgramLog, AllIncarnationsFollowEachOther) {
  for (std::uint64_t incarnation = 1; incarnation <= 3; ++incarnation) {
    rig.launch_and_await(rig.shell(1, "echo life $LIFE", incarnation), Phase::swept);
  }
  EXPECT_EQ(rig.log_of(1), "life\nlife\nlife\n");
}

TEST_F(ProgramLog, FilesAreBoundedAndTheOldestGo) {
  LaunchRequest request = rig.shell(1, "i=0; while [ $i -lt 2000 ]; do echo \"line $i\"; i=$((i+1)); done");
  request.log_max_bytes = 1000;
  request.log_files = 3;
  const Record swept = rig.launch_and_await(request, Phase::swept);
  EXPECT_EQ(swept.log_dropped, 0U);
  ASSERT_EQ(files().size(), 3U);
  for (const auto& file : files()) {
    EXPECT_LE(std::filesystem::file_size(file), 1000U);
    EXPECT_TRUE(file_text(file).starts_with("line "));
    EXPECT_TRUE(file_text(file).ends_with("\n"));
  }
  EXPECT_THAT(rig.log_of(1), HasSubstr("line 1999\n"));
}

TEST_F(ProgramLog, ALineLongerThanTheBufferIsKeptInPieces) {
  rig.launch_and_await(rig.shell(1, "head -c 100000 /dev/zero | tr '\\0' x; echo; echo end"), Phase::swept);
  std::string text = rig.log_of(1);
  EXPECT_TRUE(text.ends_with("\nend\n"));
  EXPECT_EQ(std::count(text.begin(), text.end(), 'x'), 100000);
}

TEST_F(ProgramLog, OutputWrittenWhileNoKeeperLivesIsKept) {
  const std::string gate = (rig.dir.parent_path() / "gate").string();
  make_fifo(gate);
  LaunchRequest request = rig.shell(1, "read -r x < $GATE; echo meanwhile; echo done > $FIFO; exec sleep 1000");
  request.env_after = {"GATE=" + gate};
  rig.launch_and_await(request);
  ASSERT_EQ(signal_process(rig.keeper_pid, SIGKILL), 0);
  ASSERT_TRUE(rig.await_end_of_link());
  write_line(gate, "go");
  EXPECT_EQ(rig.line(), "done");
  rig.start_keeper();
  ASSERT_TRUE(rig.list());
  rig.await(1, Phase::running);
  rig.say(FrameType::kill, 1);
  rig.await(1, Phase::swept);
  EXPECT_EQ(rig.log_of(1), "meanwhile\n");
}

TEST_F(ProgramLog, WhatCannotBeWrittenIsCountedAndNeverWaitedFor) {
  // A file where the folder's log file should be made: opening it fails.
  std::filesystem::create_directories(rig.folder(1) / "log.1");
  const Record swept = rig.launch_and_await(
      rig.shell(1, "i=0; while [ $i -lt 50000 ]; do echo \"a line that has nowhere to go\"; i=$((i+1)); done"), Phase::swept);
  EXPECT_EQ(swept.exit_value, 0);
  EXPECT_EQ(swept.log_dropped, 50000U);
  std::filesystem::remove(rig.folder(1) / "log.1");
}

TEST_F(ProgramLog, WhatWasDroppedIsToldWhileTheServiceRunsOnInSilence) {
  std::filesystem::create_directories(rig.folder(1) / "log.1");
  rig.launch_and_await(rig.shell(1, "for i in 1 2 3; do echo lost; done; echo done > $FIFO; exec sleep 1000"));
  EXPECT_EQ(rig.line(), "done");
  EXPECT_TRUE(rig.read_until([&] { return rig.records[1].log_dropped == 3; })) << rig.records[1].log_dropped;
  EXPECT_EQ(rig.records[1].phase, Phase::running);
  std::filesystem::remove(rig.folder(1) / "log.1");
}

TEST_F(ProgramLog, DescendantsWriteOnUntilTheyAreSwept) {
  rig.launch_and_await(rig.shell(1, "sh -c 'echo child; echo ready > $FIFO; exec sleep 1000' & exec sleep 1000"));
  EXPECT_EQ(rig.line(), "ready");
  rig.say(FrameType::kill, 1);
  rig.await(1, Phase::swept);
  EXPECT_EQ(rig.log_of(1), "child\n");
}

}  // namespace
}  // namespace azora::keeper
