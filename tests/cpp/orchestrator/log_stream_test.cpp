// The output of an entry with replicas over folders as shims write them; that of one service runs with real ones.
#include "azora/orchestrator/log_stream.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

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
  LogStream stream(std::size_t lines, bool labelled = true) {
    return LogStream({[this] { return sources; }, [this](std::uint64_t serial) { return folder(serial).string(); }}, lines, labelled);
  }

  std::filesystem::path root;
  std::vector<LogStream::Source> sources = {{"w@0", 1}, {"w@1", 2}};
};

TEST_F(LogStreamTest, EachLineNamesItsInstance) {
  write(1, "a\nb\n");
  write(2, "c\n\n");
  LogStream logs = stream(1);
  EXPECT_EQ(logs.next().text, "w@0 | b\nw@1 | \n");
  write(2, "d\n");
  write(1, "e\nunfinished");
  EXPECT_EQ(logs.next().text, "w@0 | e\nw@1 | d\n");
  EXPECT_EQ(logs.next().text, "");
  EXPECT_FALSE(logs.over());
}

TEST_F(LogStreamTest, OneServiceIsNotLabelled) {
  sources = {{"a", 1}};
  write(1, "a\nb\n");
  LogStream logs = stream(9, false);
  EXPECT_EQ(logs.next().text, "a\nb\n");
}

TEST_F(LogStreamTest, AnInstanceThatJoinsIsFollowedFromItsBeginning) {
  write(1, "a\n");
  write(2, "b\n");
  LogStream logs = stream(0);
  EXPECT_EQ(logs.next().text, "");
  sources.push_back({"w@2", 3});
  write(3, "first\nsecond\n");
  EXPECT_EQ(logs.next().text, "w@2 | first\nw@2 | second\n");
  write(3, "third\n");
  EXPECT_EQ(logs.next().text, "w@2 | third\n");
}

TEST_F(LogStreamTest, IsOverWhenTheLastInstanceIsGoneWithItsFolder) {
  write(1, "a\n");
  write(2, "b\n");
  LogStream logs = stream(9);
  logs.next();
  write(1, "bye\n");
  sources.erase(sources.begin());
  EXPECT_EQ(logs.next().text, "w@0 | bye\n");
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
  const std::string text = logs.next().text;
  EXPECT_LE(text.size(), 2 * keeper::LogReader::kMostBytes);
  EXPECT_EQ(text.rfind("w@1 | x", 0), 0U);
  EXPECT_NE(text.find("\nw@8 | x"), std::string::npos);
}

}  // namespace
}  // namespace azora::orchestrator
