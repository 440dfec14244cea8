// What counts as a changed executable (R24): any file named in argv, by inode, time or size.
#include "azora/orchestrator/file_stamp.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace azora::orchestrator {
namespace {

class FileStamp : public testing::Test {
 protected:
  FileStamp() {
    std::string pattern = (std::filesystem::temp_directory_path() / "azora-stamp-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
  }
  ~FileStamp() override { std::filesystem::remove_all(folder); }
  void write(const std::string& name, const std::string& text) { std::ofstream(folder / name) << text; }

  std::filesystem::path folder;
};

TEST_F(FileStamp, ChangesWithTheContentOfAnyArgument) {
  write("run", "1");
  write("conf", "1");
  const std::vector<std::string> argv = {folder / "run", "--file", folder / "conf"};
  const auto before = file_stamp(argv, "", "");
  EXPECT_EQ(before.size(), 6U);
  EXPECT_EQ(file_stamp(argv, "", ""), before);
  write("conf", "22");
  EXPECT_NE(file_stamp(argv, "", ""), before);
}

TEST_F(FileStamp, SeesAReplacedFileOfEqualSize) {
  write("run", "1");
  const auto before = file_stamp({folder / "run"}, "", "");
  write("new", "2");
  std::filesystem::rename(folder / "new", folder / "run");
  EXPECT_NE(file_stamp({folder / "run"}, "", ""), before);
}

TEST_F(FileStamp, SeesAFileThatComesAndGoes) {
  EXPECT_TRUE(file_stamp({folder / "run"}, "", "").empty());
  write("run", "1");
  EXPECT_EQ(file_stamp({folder / "run"}, "", "").size(), 3U);
}

TEST_F(FileStamp, LooksForTheProgramOnThePathAndForTheRestBelowCwd) {
  write("tool", "1");
  write("arg", "1");
  EXPECT_EQ(file_stamp({"tool"}, "", ("/nowhere:" + folder.string()).c_str()).size(), 3U);
  EXPECT_EQ(file_stamp({"absent", "arg"}, folder, "/nowhere").size(), 3U);
  EXPECT_TRUE(file_stamp({"tool"}, "", nullptr).empty());
}

}  // namespace
}  // namespace azora::orchestrator
