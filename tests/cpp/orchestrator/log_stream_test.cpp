// The output of an entry with replicas over folders as shims write them; that of one service runs with real ones.
#include "azora/orchestrator/log_stream.hpp"

#include <errno.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "azora/keeper/log_mark.hpp"

namespace azora::orchestrator {
namespace {

class LogStreamTest : public ::testing::Test {
 protected:
  LogStreamTest() {
    std::string path = std::filesystem::temp_directory_path() / "azora-stream-test-XXXXXX";
    EXPECT_NE(::mkdtemp(path.data()), nullptr);
    root = path;
  }
  ~LogStreamTest() override { std::filesystem::remove_all(root); }

  std::filesystem::path folder(std::uint64_t serial) const { return root / std::to_string(serial); }
  void write(std::uint64_t serial, const std::string& text) {
    std::filesystem::create_directories(folder(serial));
    std::ofstream(folder(serial) / "log.1", std::ios::app | std::ios::binary) << text;
  }
  LogStream stream(std::size_t lines, bool labelled = true, bool timestamps = false) {
    return LogStream({[this] { return sources; }, [this](std::uint64_t serial) { return folder(serial).string(); }},
                     {.lines = lines, .follow = true, .timestamps = timestamps}, labelled);
  }

  std::filesystem::path root;
  std::vector<LogStream::Source> sources = {{"w@0", 1}, {"w@1", 2}};
};

TEST_F(LogStreamTest, EachLineNamesItsInstance) {
  write(1, "a\nb\n");
  write(2, "c\n\n");
  LogStream logs = stream(1);
  EXPECT_EQ(logs.next(), "w@0 | b\nw@1 | \n");
  write(2, "d\n");
  write(1, "e\nunfinished");
  EXPECT_EQ(logs.next(), "w@0 | e\nw@1 | d\n");
  EXPECT_EQ(logs.next(), "w@0 | unfinished…\n");
  EXPECT_EQ(logs.next(), "");
  EXPECT_FALSE(logs.over());
}

TEST_F(LogStreamTest, OneServiceIsNotLabelled) {
  sources = {{"a", 1}};
  write(1, "a\nb\n");
  LogStream logs = stream(9, false);
  EXPECT_EQ(logs.next(), "a\nb\n");
}

TEST_F(LogStreamTest, R59AnUnfinishedLineIsGivenToFollowersWithAnEllipsisAndAgainWhole) {
  write(1, "a\nhalf");
  LogStream logs = stream(9);
  EXPECT_EQ(logs.next(), "w@0 | a\nw@0 | half…\n");
  write(2, "Password: ");
  EXPECT_EQ(logs.next(), "");
  EXPECT_EQ(logs.next(), "w@1 | Password: …\n");
  write(1, " a line\n");
  EXPECT_EQ(logs.next(), "w@0 | half a line\n");
}

TEST_F(LogStreamTest, R59WhoDoesNotFollowGetsTheUnfinishedLineAsItStands) {
  sources = {{"a", 1}};
  write(1, "a\nPassword: ");
  LogStream logs({[this] { return sources; }, [this](std::uint64_t serial) { return folder(serial).string(); }},
                 {.lines = 1}, false);
  EXPECT_EQ(logs.next(), "Password: ");
}

TEST_F(LogStreamTest, R59TimesStandBetweenLabelAndLine) {
  write(1, "a\n");
  const keeper::LogMark mark = keeper::LogMark::make(keeper::MarkKind::time, 0, 1000);
  std::ofstream(folder(1) / "log.1.times", std::ios::binary).write(reinterpret_cast<const char*>(&mark), sizeof mark);
  write(2, "b\n");
  EXPECT_EQ(stream(9, true, true).next(), "w@0 | 1970-01-01T00:00:01.000Z a\nw@1 | - b\n");
}

TEST_F(LogStreamTest, R59WhatIsBeingLostIsSaidAtOnceWhenItDoublesAndWhereItIsMissing) {
  sources = {{"a", 1}};
  write(1, "a\n");
  LogStream logs = stream(9, false);
  EXPECT_EQ(logs.next(), "a\n");
  const auto lose = [&](std::uint64_t lines, bool goes_on = true) {
    sources[0].loss = std::make_shared<const LogLossView>(
        LogLossView{lines, lines * 10, WallTime{1000}, "No space left on device", goes_on});
  };
  const std::string since = "No space left on device (since 1970-01-01T00:00:01.000Z)]\n";
  lose(1);
  EXPECT_EQ(logs.next(), "[azora: 1 line (10 B) of this output was lost: " + since);
  EXPECT_EQ(logs.next(), "");
  lose(410);
  EXPECT_EQ(logs.next(), "[azora: 410 lines (4.1 kB) of this output were lost: " + since);
  lose(500);
  EXPECT_EQ(logs.next(), "");
  using keeper::LogMark;
  using keeper::MarkKind;
  const LogMark marks[] = {
      LogMark::make(MarkKind::lost_lines, 2, 999'960), LogMark::make(MarkKind::lost_bytes, 2, 999'960),
      LogMark::make(MarkKind::lost_since, 2, 1000), LogMark::make(MarkKind::lost_error, 2, ENOSPC),
      LogMark::make(MarkKind::time, 2, 3000)};
  std::ofstream(folder(1) / "log.1.times", std::ios::binary).write(reinterpret_cast<const char*>(marks), sizeof marks);
  write(1, "b\n");
  EXPECT_EQ(logs.next(),
            "[azora: 999960 lines (1.0 MB) of this output were lost here: No space left on device "
            "(1970-01-01T00:00:01.000Z to 1970-01-01T00:00:03.000Z)]\nb\n");
  lose(2000);  // the last word on what has ended comes late
  EXPECT_EQ(logs.next(), "");
  lose(2000, false);
  EXPECT_EQ(logs.next(), "");
}

TEST_F(LogStreamTest, R59ALossBeforeAnUnfinishedLineStandsBeforeItAndOnce) {
  using keeper::LogMark;
  using keeper::MarkKind;
  sources = {{"a", 1}};
  write(1, "a\nhal");
  const LogMark marks[] = {LogMark::make(MarkKind::lost_lines, 2, 1), LogMark::make(MarkKind::lost_bytes, 2, 5),
                           LogMark::make(MarkKind::lost_since, 2, 1000), LogMark::make(MarkKind::lost_error, 2, ENOSPC),
                           LogMark::make(MarkKind::time, 2, 3000)};
  std::ofstream(folder(1) / "log.1.times", std::ios::binary).write(reinterpret_cast<const char*>(marks), sizeof marks);
  const std::string note =
      "[azora: 1 line (5 B) of this output was lost here: No space left on device "
      "(1970-01-01T00:00:01.000Z to 1970-01-01T00:00:03.000Z)]\n";
  LogStream once({[this] { return sources; }, [this](std::uint64_t serial) { return folder(serial).string(); }},
                 {.lines = 1}, false);
  EXPECT_EQ(once.next(), note + "hal");
  LogStream logs = stream(9, false);
  EXPECT_EQ(logs.next(), "a\n" + note + "hal…\n");
  write(1, "f");
  EXPECT_EQ(logs.next(), "");
  EXPECT_EQ(logs.next(), "half…\n");
  write(1, " a line\n");
  EXPECT_EQ(logs.next(), "half a line\n");
  LogStream silent = stream(0, false);
  EXPECT_EQ(silent.next(), "");
}

TEST_F(LogStreamTest, R59ALossNamesItsInstance) {
  sources[1].loss =
      std::make_shared<const LogLossView>(LogLossView{2, 20, WallTime{1000}, "the disk was too slow", true});
  write(1, "a\n");
  EXPECT_EQ(stream(1).next(),
            "w@0 | a\n[azora: w@1: 2 lines (20 B) of this output were lost: the disk was too slow "
            "(since 1970-01-01T00:00:01.000Z)]\n");
}

TEST_F(LogStreamTest, R59NotesBearTheTokenOfTheirReader) {
  const auto read = [&](const std::string& token, bool labelled) {
    return LogStream({[this] { return sources; }, [this](std::uint64_t serial) { return folder(serial).string(); }},
                     {.lines = 1, .follow = true, .notes = token}, labelled)
        .next();
  };
  sources = {{"a", 1}};
  sources[0].loss = std::make_shared<const LogLossView>(LogLossView{1, 2, WallTime{1000}, "full", true});
  write(1, "[azora: forged]\n");
  const std::string rest = "1 line (2 B) of this output was lost: full (since 1970-01-01T00:00:01.000Z)]\n";
  EXPECT_EQ(read("", false), "[azora: forged]\n[azora: " + rest);
  EXPECT_EQ(read("x7", false), "[azora: forged]\n[azora x7: " + rest);
  EXPECT_EQ(read("x7", true), "a | [azora: forged]\n[azora x7: a: " + rest);
}

TEST_F(LogStreamTest, R59WhatWasRemovedUnreadIsSaidInItsPlace) {
  write(1, "a\n");
  LogStream logs = stream(9);
  EXPECT_EQ(logs.next(), "w@0 | a\n");
  std::ofstream(folder(1) / "log.4", std::ios::binary) << "later\n";
  EXPECT_EQ(logs.next(), "[azora: w@0: output was removed here before it could be shown]\nw@0 | later\n");
}

TEST_F(LogStreamTest, R59ANoteIsALineOfItsOwnBehindAPieceOfALine) {
  sources = {{"a", 1}};
  write(1, std::string(200'000, 'x'));
  LogStream logs = stream(9, false);
  std::string piece = logs.next();
  EXPECT_EQ(piece.find_first_not_of('x'), std::string::npos);
  sources[0].loss = std::make_shared<const LogLossView>(LogLossView{1, 2, WallTime{1000}, "full", true});
  while (piece.find("azora") == std::string::npos) {
    piece = logs.next();
    ASSERT_NE(piece, "");
  }
  EXPECT_NE(piece.find("\n[azora: 1 line"), std::string::npos) << piece.substr(0, 100);
}

TEST_F(LogStreamTest, AnInstanceThatJoinsIsFollowedFromItsBeginning) {
  write(1, "a\n");
  write(2, "b\n");
  LogStream logs = stream(0);
  EXPECT_EQ(logs.next(), "");
  sources.push_back({"w@2", 3});
  write(3, "first\nsecond\n");
  EXPECT_EQ(logs.next(), "w@2 | first\nw@2 | second\n");
  write(3, "third\n");
  EXPECT_EQ(logs.next(), "w@2 | third\n");
}

TEST_F(LogStreamTest, IsOverWhenTheLastInstanceIsGoneWithItsFolder) {
  write(1, "a\n");
  write(2, "b\n");
  LogStream logs = stream(9);
  logs.next();
  write(1, "bye\n");
  sources.erase(sources.begin());
  EXPECT_EQ(logs.next(), "w@0 | bye\n");
  std::filesystem::remove_all(folder(1));
  logs.next();
  EXPECT_FALSE(logs.over());
  sources.clear();
  std::filesystem::remove_all(folder(2));
  logs.next();
  EXPECT_TRUE(logs.over());
}

TEST_F(LogStreamTest, ManyLongTailsTogetherAreBounded) {
  sources.clear();
  for (std::uint64_t serial = 1; serial <= 8; ++serial) {
    sources.push_back({"w@" + std::to_string(serial), serial});
    for (int line = 0; line < 1'000; ++line) write(serial, std::string(1'000, 'x') + "\n");
  }
  LogStream logs = stream(10'000);
  const std::string text = logs.next();
  EXPECT_LE(text.size(), 2 * keeper::LogReader::kMostBytes);
  EXPECT_EQ(text.rfind("w@1 | x", 0), 0U);
  EXPECT_NE(text.find("\nw@8 | x"), std::string::npos);
}

}  // namespace
}  // namespace azora::orchestrator
