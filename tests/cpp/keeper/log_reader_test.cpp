// LogReader over files as the shim writes them, and over those a real shim wrote and rotated.
#include <sys/stat.h>

#include "azora/keeper/log_mark.hpp"
#include "keeper/client_rig.hpp"
#include "keeper/log_folder.hpp"

namespace azora::keeper {
namespace {

class LogReaderTest : public LogFolderTest {
 protected:
  std::string tail(std::size_t lines, std::size_t bytes = LogReader::kMostBytes) { return LogReader(folder).tail(lines, bytes).text; }
  // All there is from `cursor` on, in steps of `step` bytes.
  std::string follow(LogCursor* cursor, std::size_t step) {
    std::string all;
    for (;;) {
      const LogPart part = LogReader(folder).read_from(*cursor, step);
      EXPECT_LE(part.text.size(), step * 3);  // a replacement has three bytes
      *cursor = part.next;
      if (part.text.empty()) return all;
      all += part.text;
    }
  }
};

TEST_F(LogReaderTest, NoFolderHasNoLines) {
  EXPECT_EQ(LogReader("/no/such/folder").tail(10).text, "");
  EXPECT_EQ(LogReader("/no/such/folder").read_from({3, 4}).next, (LogCursor{3, 4}));
}

TEST_F(LogReaderTest, LastLinesOverRotatedFilesInNumericalOrder) {
  write(9, "one\ntwo\n");
  write(10, "three\n");
  write(11, "four\nfive\n");
  EXPECT_EQ(tail(0), "");
  EXPECT_EQ(tail(1), "five\n");
  EXPECT_EQ(tail(2), "four\nfive\n");
  EXPECT_EQ(tail(3), "three\nfour\nfive\n");
  EXPECT_EQ(tail(4), "two\nthree\nfour\nfive\n");
  EXPECT_EQ(tail(10'000), "one\ntwo\nthree\nfour\nfive\n");
}

TEST_F(LogReaderTest, EmptyLinesAreLines) {
  write(1, "\n\na\n\n");
  EXPECT_EQ(tail(1), "\n");
  EXPECT_EQ(tail(2), "a\n\n");
  EXPECT_EQ(tail(9), "\n\na\n\n");
}

TEST_F(LogReaderTest, NewestFileMayBeEmpty) {
  write(1, "a\nb\n");
  write(2, "");
  const LogPart part = LogReader(folder).tail(1);
  EXPECT_EQ(part.text, "b\n");
  EXPECT_EQ(part.next, (LogCursor{2, 0}));
}

TEST_F(LogReaderTest, TailIsBoundedInBytesAtALine) {
  write(1, "aaaa\nbbbb\ncccc\n");
  EXPECT_EQ(tail(10, 11), "bbbb\ncccc\n");
  EXPECT_EQ(tail(10, 10), "bbbb\ncccc\n");
  EXPECT_EQ(tail(10, 9), "cccc\n");
  EXPECT_EQ(tail(10, 3), "");
}

TEST_F(LogReaderTest, ManyLinesOverManyBlocks) {
  std::string all;
  for (int i = 0; i < 30'000; ++i) all += "line number " + std::to_string(i) + "\n";
  write(1, all);
  const std::string last = tail(1'000'000);
  EXPECT_EQ(std::count(last.begin(), last.end(), '\n'), 10'000);
  EXPECT_TRUE(last.starts_with("line number 20000\n"));
  EXPECT_TRUE(all.ends_with(last));
}

TEST_F(LogReaderTest, TailAndFollowMeetWithoutHoleOrOverlap) {
  write(1, "a\nb\nhalf");
  const LogPart part = LogReader(folder).tail(10);
  EXPECT_EQ(part.text, "a\nb\n");
  EXPECT_EQ(part.unfinished, "half");
  EXPECT_EQ(LogReader(folder).tail(2).text, "b\n");  // what is not finished is one of them
  LogCursor cursor = part.next;
  EXPECT_EQ(follow(&cursor, 100), "");
  write(1, " a line\nc\n");
  EXPECT_EQ(follow(&cursor, 100), "half a line\nc\n");
  EXPECT_EQ(follow(&cursor, 100), "");
}

TEST_F(LogReaderTest, FollowsOverRotation) {
  LogCursor cursor;
  write(1, "a\n");
  EXPECT_EQ(follow(&cursor, 100), "a\n");
  write(1, "b\n");
  write(2, "c\n");
  write(3, "d\n");
  EXPECT_EQ(follow(&cursor, 100), "b\nc\nd\n");
  EXPECT_EQ(cursor, (LogCursor{3, 2}));
}

TEST_F(LogReaderTest, R59AFileThatWasEmptiedIsReadFromItsBeginning) {
  write(1, "a\nb\nc\n");
  LogCursor cursor;
  EXPECT_EQ(follow(&cursor, 100), "a\nb\nc\n");
  std::filesystem::resize_file(folder / "log.1", 0);
  EXPECT_EQ(follow(&cursor, 100), "");
  write(1, "d\n");
  EXPECT_EQ(follow(&cursor, 100), "d\n");
}

TEST_F(LogReaderTest, SaysWhenFilesWereRemovedUnread) {
  write(1, "a\n");
  const LogCursor cursor = LogReader(folder).read_from({}).next;
  std::filesystem::remove(folder / "log.1");
  write(4, "d\n");
  const LogPart part = LogReader(folder).read_from(cursor);
  EXPECT_TRUE(part.missed);
  EXPECT_EQ(part.text, "d\n");
  EXPECT_FALSE(LogReader(folder).read_from(part.next).missed);
}

TEST_F(LogReaderTest, StepsOfAnySizeGiveTheSameText) {
  const std::string all = "short\nsomewhat longer than the step\n\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80 and more of that kind\nx\n";
  write(1, all);
  write(2, all);
  for (std::size_t step = 4; step < all.size() * 2 + 2; ++step) {
    LogCursor cursor;
    EXPECT_EQ(follow(&cursor, step), all + all) << step;
  }
}

TEST_F(LogReaderTest, R59WhatNeverEndsItsLineIsGivenInPieces) {
  const std::string bar(100'000, 'z');
  write(1, "begun\n" + bar);
  EXPECT_TRUE(tail(1) == bar);
  EXPECT_TRUE(tail(2) == "begun\n" + bar);
  EXPECT_EQ(LogReader(folder).tail(1).next, (LogCursor{1, 6 + bar.size()}));
  LogCursor cursor;
  EXPECT_TRUE(follow(&cursor, LogReader::kMostBytes) == "begun\n" + bar);
  EXPECT_EQ(cursor, (LogCursor{1, 6 + bar.size()}));
}

TEST_F(LogReaderTest, R59AnUnfinishedLineEndsWithAWholeCharacter) {
  write(1, "a\nna\xC3");
  EXPECT_EQ(LogReader(folder).tail(9).unfinished, "na");
  EXPECT_EQ(LogReader(folder).read_from({}).unfinished, "na");
  write(1, "\xAFve \xE2\x82");
  EXPECT_EQ(LogReader(folder).tail(9).unfinished, "na\xC3\xAFve ");
  write(1, "\xAC \xF0");
  EXPECT_EQ(LogReader(folder).tail(9).unfinished, "na\xC3\xAFve \xE2\x82\xAC ");
  write(1, "x");  // so that was none
  EXPECT_EQ(LogReader(folder).tail(9).unfinished, "na\xC3\xAFve \xE2\x82\xAC \xEF\xBF\xBDx");
  write(2, "\xC3");
  EXPECT_EQ(LogReader(folder).tail(9).unfinished, "");
}

TEST_F(LogReaderTest, InvalidUtf8IsReplacedByteByByte) {
  write(1, std::string("a\xFF" "b\xC3\n\xED\xA0\x80\n\0\n", 11));
  const std::string replaced = "a\xEF\xBF\xBD" "b\xEF\xBF\xBD\n\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\n";
  EXPECT_EQ(tail(10), replaced + std::string("\0\n", 2));
  LogCursor cursor;
  EXPECT_EQ(follow(&cursor, 100), replaced + std::string("\0\n", 2));
}

TEST_F(LogReaderTest, OnlyLogFilesAndNoLinksAreRead) {
  write(1, "a\n");
  std::ofstream(folder / "log.x") << "no\n";
  std::ofstream(folder / "sock") << "no\n";
  std::filesystem::create_symlink("/etc/passwd", folder / "log.2");
  EXPECT_EQ(tail(10), "a\n");
  LogCursor cursor;
  EXPECT_EQ(follow(&cursor, 100), "a\n");
}

TEST_F(LogReaderTest, RealServiceIsFollowedOverItsRotationsWithoutLoss) {
  ClientRig rig;
  constexpr int kLines = 3000;
  Launch launch = rig.shell(1, "i=0; while [ $i -lt " + std::to_string(kLines) + " ]; do echo line $i; i=$((i+1)); done; read end < end");
  launch.spec.cwd = rig.folder;
  launch.spec.log = {.max_bytes = 2000, .files = 1000};
  ASSERT_EQ(::mkfifo((rig.folder / "end").c_str(), 0600), 0);
  rig.client->launch(launch);
  ASSERT_TRUE(rig.run_until_word(1, "started"));
  const LogReader reader(rig.client->log_folder(1).value());
  LogCursor cursor;
  std::string all;
  ASSERT_TRUE(rig.run_until([&] {
    const LogPart part = reader.read_from(cursor, 700);
    EXPECT_FALSE(part.missed);
    cursor = part.next;
    all += part.text;
    return all.ends_with("line " + std::to_string(kLines - 1) + "\n");
  }));
  std::string expected;
  for (int i = 0; i < kLines; ++i) expected += "line " + std::to_string(i) + "\n";
  EXPECT_EQ(all, expected);
  EXPECT_GT(cursor.file, 10U);
  EXPECT_EQ(reader.tail(2).text, "line 2998\nline 2999\n");
  // Each file but the newest says that another one follows.
  for (std::uint64_t number = 1; number <= cursor.file; ++number) {
    const std::string path = rig.client->log_folder(1).value() + "/log." + std::to_string(number);
    struct stat info {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0) << path;
    EXPECT_EQ((info.st_mode & kFullLogMark) != 0, number < cursor.file) << path;
  }
  rig.client->kill(1, 1);
  EXPECT_TRUE(rig.run_until_word(1, "swept"));
  std::filesystem::remove(rig.folder / "end");
}

}  // namespace
}  // namespace azora::keeper
