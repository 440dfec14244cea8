#pragma once
// A folder of log files and their indexes as a shim writes them, written by the test. Threads: the test's.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "azora/keeper/log_mark.hpp"

namespace azora::keeper {

class LogFolderTest : public ::testing::Test {
 protected:
  LogFolderTest() {
    std::string path = std::filesystem::temp_directory_path() / "azora-log-test-XXXXXX";
    EXPECT_NE(::mkdtemp(path.data()), nullptr);
    folder = path;
  }
  ~LogFolderTest() override { std::filesystem::remove_all(folder); }
  void write(int number, const std::string& text) {
    std::ofstream(folder / ("log." + std::to_string(number)), std::ios::app | std::ios::binary) << text;
  }
  void mark(int number, const std::vector<LogMark>& marks) {
    std::ofstream file(folder / ("log." + std::to_string(number) + kTimesSuffix), std::ios::app | std::ios::binary);
    const std::size_t bytes = marks.size() * sizeof(LogMark);
    file.write(reinterpret_cast<const char*>(marks.data()), static_cast<std::streamsize>(bytes));
  }

  std::filesystem::path folder;
};

}  // namespace azora::keeper
