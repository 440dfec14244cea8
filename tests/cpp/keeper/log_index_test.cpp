// What the index beside a log file adds to its text (R59): times before lines, and where lines are missing.
#include "azora/keeper/log_reader.hpp"
#include "keeper/log_folder.hpp"

namespace azora::keeper {
namespace {

class LogIndexTest : public LogFolderTest {
 protected:
  static LogMark time(std::uint64_t offset, std::int64_t ms) { return LogMark::make(MarkKind::time, offset, ms); }
  void mark_loss(int number, std::uint64_t offset, std::int64_t lines, std::int64_t since) {
    mark(number, {LogMark::make(MarkKind::lost_lines, offset, lines),
                  LogMark::make(MarkKind::lost_bytes, offset, lines * 10),
                  LogMark::make(MarkKind::lost_since, offset, since),
                  LogMark::make(MarkKind::lost_error, offset, ENOSPC)});
  }
  LogPart tail(std::size_t lines, bool timestamps = true) { return LogReader(folder, timestamps).tail(lines); }
};

TEST_F(LogIndexTest, R59EachLineHasTheTimeOfTheLastMarkBeforeIt) {
  write(1, "a\nb\nc\n");
  mark(1, {time(0, 1), time(4, 1'800'000'000'123)});
  EXPECT_EQ(tail(9).text, "1970-01-01T00:00:00.001Z a\n1970-01-01T00:00:00.001Z b\n2027-01-15T08:00:00.123Z c\n");
  EXPECT_EQ(tail(1).text, "2027-01-15T08:00:00.123Z c\n");
  EXPECT_EQ(tail(9, false).text, "a\nb\nc\n");
}

TEST_F(LogIndexTest, R59ALineOlderThanWhatIsRecordedHasNone) {
  write(1, "a\n");
  write(2, "b\nc\nd\n");
  mark(2, {time(2, 1), time(4, 0)});
  EXPECT_EQ(tail(9).text, "- a\n- b\n1970-01-01T00:00:00.001Z c\n- d\n");
}

TEST_F(LogIndexTest, R59AClockThatWasSetBackIsShownAsItWas) {
  write(1, "a\nb\n");
  mark(1, {time(0, 5000), time(2, 1000)});
  EXPECT_EQ(tail(9).text, "1970-01-01T00:00:05.000Z a\n1970-01-01T00:00:01.000Z b\n");
}

TEST_F(LogIndexTest, R59TheUnfinishedLineAndThePiecesOfACutOneHaveOneTime) {
  write(1, "xxxx");
  mark(1, {time(0, 1), time(2, 2)});
  write(2, "yyyy\nhalf");
  mark(2, {time(0, 3), time(5, 4)});
  const LogPart part = tail(9);
  EXPECT_EQ(part.text, "1970-01-01T00:00:00.001Z xxxxyyyy\n");
  EXPECT_EQ(part.unfinished, "1970-01-01T00:00:00.004Z half");
}

TEST_F(LogIndexTest, R59LinesAreMissingWhereTheMarksSaySo) {
  write(1, "a\nb\nc\n");
  mark(1, {time(0, 1)});
  mark_loss(1, 4, 100, 2000);
  mark(1, {time(4, 3000)});
  for (const bool timestamps : {false, true}) {
    const LogPart part = tail(9, timestamps);
    ASSERT_EQ(part.gaps.size(), 1U);
    EXPECT_EQ(part.text.substr(part.gaps[0].at), timestamps ? "1970-01-01T00:00:03.000Z c\n" : "c\n");
    EXPECT_EQ(part.gaps[0].loss, (LogLoss{.lines = 100, .bytes = 1000, .since_wall_ms = 2000, .error = ENOSPC}));
    EXPECT_EQ(part.gaps[0].until_wall_ms, 3000);
  }
  EXPECT_EQ(tail(1).gaps.size(), 1U);
  EXPECT_EQ(LogReader(folder).read_from({1, 4}).gaps.size(), 1U);
  EXPECT_EQ(LogReader(folder).read_from({1, 2}, 2).gaps.size(), 0U);
}

TEST_F(LogIndexTest, R59WhatWasTriedInVainIsOneLoss) {
  write(1, "a\nb\n");
  mark(1, {time(0, 1)});
  mark_loss(1, 2, 5, 2000);
  mark(1, {time(2, 2500)});
  mark_loss(1, 2, 9, 2000);
  mark(1, {time(2, 3000)});
  const LogPart part = tail(9);
  ASSERT_EQ(part.gaps.size(), 1U);
  EXPECT_EQ(part.gaps[0].loss.lines, 9U);
  EXPECT_EQ(part.gaps[0].until_wall_ms, 3000);
}

TEST_F(LogIndexTest, ManyMarksAreFoundFromAnyPlace) {
  std::string text;
  std::vector<LogMark> marks;
  for (int i = 0; i < 20'000; ++i) {
    marks.push_back(time(text.size(), i + 1));
    text += std::to_string(i) + "\n";
  }
  write(1, text);
  mark(1, marks);
  EXPECT_EQ(tail(1).text, "1970-01-01T00:00:20.000Z 19999\n");
  const std::string all = tail(10'000).text;
  EXPECT_TRUE(all.starts_with("1970-01-01T00:00:10.001Z 10000\n1970-01-01T00:00:10.002Z 10001\n"));
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 10'000);
}

TEST_F(LogIndexTest, AnyBytesInItAreHarmless) {
  write(1, "a\nb\nc\n");
  std::ofstream(folder / "log.1.times", std::ios::binary)
      << std::string(1000, '\xFF') << std::string(333, '\0') << "odd";
  const std::string text = tail(9, false).text;
  EXPECT_EQ(text, "a\nb\nc\n");
  tail(9, true);
}

}  // namespace
}  // namespace azora::keeper
