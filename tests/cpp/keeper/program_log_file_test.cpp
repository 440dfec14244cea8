// R59 with the real shim: lines that are not finished, and log files that are removed, moved, emptied or full.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "azora/keeper/log_follower.hpp"
#include "azora/keeper/log_mark.hpp"
#include "keeper/file_watch.hpp"
#include "keeper/program_rig.hpp"

namespace azora::keeper {
namespace {

class ProgramLogFile : public testing::Test {
 protected:
  void SetUp() override { rig.start_keeper(); }
  // What it writes, step by step: `go` waits for go(); while the former writer has not closed the pipe yet, read finds
  // its end.
  Record launch(const std::string& script, std::uint64_t max_bytes = 1 << 20, std::uint32_t files = 5) {
    make_fifo(gate());
    const std::string prelude = "go() { until read -r x < $GATE; do :; done; }; ";
    LaunchRequest request = rig.shell(1, prelude + script + "; exec sleep 1000");
    request.env_after = {"GATE=" + gate()};
    request.log_max_bytes = max_bytes;
    request.log_files = files;
    return rig.launch_and_await(request);
  }
  void go() const { write_line(gate(), "go"); }
  std::string gate() const { return (rig.dir.parent_path() / "gate").string(); }
  std::filesystem::path file(int number) const { return rig.folder(1) / (kLogPrefix + std::to_string(number)); }
  std::string text(int number) const { return file_text(file(number)); }
  // Waits until all that is logged is this.
  bool await_log(const std::string& wanted) {
    FileWatch watch(rig.folder(1));
    return watch.until([&] { return rig.log_of(1) == wanted; });
  }
  LogPart tail(bool timestamps = false) const { return LogReader(rig.folder(1), timestamps).tail(100); }

  ProgramRig rig;
};

TEST_F(ProgramLogFile, R59AnUnfinishedLineIsShownAfterSilenceAndCompletedInTheFile) {
  launch("printf 'one\\nPassword: '; go; echo given; echo two");
  EXPECT_TRUE(await_log("one\nPassword: ")) << rig.log_of(1);
  EXPECT_EQ(tail().unfinished, "Password: ");
  go();
  EXPECT_TRUE(await_log("one\nPassword: given\ntwo\n")) << rig.log_of(1);
}

TEST_F(ProgramLogFile, R59AShownLineGrowsAndIsTheLastWordOfADeath) {
  launch("printf one; go; printf ', two'; go; printf ', three'; kill -9 $$");
  EXPECT_TRUE(await_log("one")) << rig.log_of(1);
  go();
  EXPECT_TRUE(await_log("one, two")) << rig.log_of(1);
  go();
  rig.await(1, Phase::swept);
  EXPECT_EQ(rig.log_of(1), "one, two, three\n");
}

TEST_F(ProgramLogFile, R59AShimWithNothingToShowSleepsWithoutEnd) {
  launch("printf 'Password: '");
  ASSERT_TRUE(await_log("Password: ")) << rig.log_of(1);
  // The number of the call, then its arguments: the fourth of ppoll is how long it waits at most, 0 for ever.
  const std::string state = "/proc/" + std::to_string(rig.shim_of(1)) + "/syscall";
  if (file_text(state).empty()) GTEST_SKIP() << "this system does not show in which call a process is";
  const auto waits_for_ever = [&] {
    long number = 0;
    unsigned long fds = 0, count = 0, span = 1;
    return std::sscanf(file_text(state).c_str(), "%ld %lx %lx %lx", &number, &fds, &count, &span) == 4 && span == 0;
  };
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!waits_for_ever() && std::chrono::steady_clock::now() < deadline) sched_yield();
  EXPECT_TRUE(waits_for_ever()) << file_text(state);
}

TEST_F(ProgramLogFile, R59ALineThatIsShownMovesWholeToTheNextFile) {
  launch("echo 123456789; printf half; go; echo ' a line'", 15);
  ASSERT_TRUE(await_log("123456789\nhalf")) << rig.log_of(1);
  go();
  EXPECT_TRUE(await_log("123456789\nhalf a line\n")) << rig.log_of(1);
  EXPECT_EQ(text(1), "123456789\n");
  EXPECT_EQ(text(2), "half a line\n");
}

TEST_F(ProgramLogFile, R59AFileThatWasRemovedIsMadeAnewAtTheNextWrite) {
  launch("echo one; printf half; go; echo ' a line'; go; echo three");
  ASSERT_TRUE(await_log("one\nhalf")) << rig.log_of(1);
  LogFollower follower;
  EXPECT_EQ(follower.begin(rig.folder(1), 10).text, "one\n");
  std::filesystem::remove(file(1));
  std::filesystem::remove(rig.folder(1) / "log.1.times");
  go();
  EXPECT_TRUE(await_log("half a line\n")) << rig.log_of(1);
  EXPECT_EQ(follower.next(rig.folder(1)).text, "half a line\n");
  std::filesystem::rename(file(1), rig.folder(1) / "mine");
  go();
  EXPECT_TRUE(await_log("three\n")) << rig.log_of(1);
  EXPECT_EQ(follower.next(rig.folder(1)).text, "three\n");
  EXPECT_THAT(tail(true).text, testing::MatchesRegex("....-..-..T..:..:..\\....Z three\n"));
  EXPECT_TRUE(rig.list());
  EXPECT_EQ(rig.records[1].log_dropped, 0U);
}

TEST_F(ProgramLogFile, R59AnEmptiedFileIsWrittenFromItsBeginning) {
  launch("echo one; printf half; go; echo ' a line'");
  ASSERT_TRUE(await_log("one\nhalf")) << rig.log_of(1);
  std::filesystem::resize_file(file(1), 0);
  go();
  EXPECT_TRUE(await_log("half a line\n")) << rig.log_of(1);
  EXPECT_THAT(tail(true).text, testing::MatchesRegex("....-..-..T..:..:..\\....Z half a line\n"));
}

TEST_F(ProgramLogFile, R59AFolderThatWasRemovedIsMadeAnewAndTheShimIsFoundInIt) {
  launch("echo one; go; echo two; echo done > $FIFO");
  ASSERT_TRUE(await_log("one\n"));
  std::filesystem::remove_all(rig.folder(1));
  go();
  EXPECT_EQ(rig.line(), "done");
  EXPECT_TRUE(FileWatch(rig.dir).until([&] { return std::filesystem::exists(file(1)); }));
  EXPECT_TRUE(await_log("two\n"));
  ASSERT_EQ(signal_process(rig.keeper_pid, SIGKILL), 0);
  ASSERT_TRUE(rig.await_end_of_link());
  rig.start_keeper();
  ASSERT_TRUE(rig.list());
  EXPECT_EQ(rig.await(1, Phase::running).log_dropped, 0U);
}

TEST_F(ProgramLogFile, R59ALineCutAtTheBufferEndsBeforeTheNextIncarnation) {
  rig.launch_and_await(rig.shell(1, "head -c 8192 /dev/zero | tr '\\0' x"), Phase::swept);
  EXPECT_EQ(rig.log_of(1), std::string(8192, 'x') + "\n");
  rig.launch_and_await(rig.shell(1, "echo next", 2), Phase::swept);
  EXPECT_EQ(rig.log_of(1), std::string(8192, 'x') + "\nnext\n");
}

TEST_F(ProgramLogFile, R59WhatAKilledShimHadShownIsALineOfItsOwn) {
  launch("printf half");
  ASSERT_TRUE(await_log("half"));
  ASSERT_EQ(signal_process(rig.shim_of(1), SIGKILL), 0);
  rig.await(1, Phase::lost);
  rig.launch_and_await(rig.shell(1, "echo next", 2), Phase::swept);
  EXPECT_EQ(rig.log_of(1), "half\nnext\n");
}

TEST_F(ProgramLogFile, R59ALimitOfFileSizesIsTheEndOfAFileAndOfNothingElse) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit limit = before;
  limit.rlim_cur = 4000;
  ProgramRig limited;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  limited.start_keeper();
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  LaunchRequest request = limited.shell(1, "i=0; while [ $i -lt 1000 ]; do echo line $i; i=$((i+1)); done");
  request.log_max_bytes = 1 << 20;
  request.log_files = 100;
  EXPECT_EQ(limited.launch_and_await(request, Phase::swept).log_dropped, 0U);
  std::string expected;
  for (int i = 0; i < 1000; ++i) expected += "line " + std::to_string(i) + "\n";
  EXPECT_EQ(limited.log_of(1), expected);
}

TEST_F(ProgramLogFile, R59TheIndexGoesWithItsFile) {
  LaunchRequest request = rig.shell(1, "i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); done");
  request.log_max_bytes = 200;
  request.log_files = 3;
  rig.launch_and_await(request, Phase::swept);
  std::size_t texts = 0;
  std::size_t indexes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(rig.folder(1))) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(kLogPrefix)) continue;
    if (!name.ends_with(kTimesSuffix)) {
      ++texts;
      EXPECT_TRUE(std::filesystem::exists(entry.path().string() + kTimesSuffix)) << name;
    } else {
      ++indexes;
      EXPECT_LE(std::filesystem::file_size(entry.path()), kLeastIndex + 6 * sizeof(LogMark));
    }
  }
  EXPECT_EQ(texts, 3U);
  EXPECT_EQ(indexes, 3U);
  rig.say(FrameType::forget, 1);
  EXPECT_TRUE(FileWatch(rig.dir).until([&] { return !std::filesystem::exists(rig.folder(1)); }));
}

}  // namespace
}  // namespace azora::keeper
