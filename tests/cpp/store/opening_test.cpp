// What is refused at the opening, and that it is kept as it was.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <map>
#include <random>
#include <string>

#include "azora/store/log_file.hpp"
#include "azora/store/state_file.hpp"
#include "azora/store/state_folder.hpp"
#include "azora/store/state_schema.hpp"
#include "store/store_rig.hpp"
#include "support/built.hpp"

namespace azora::store {
namespace {

using Rows = std::map<Key, std::string>;

class StoreOpening : public ::testing::Test {
 protected:
  std::filesystem::path folder() const { return folder_ / "state"; }
  std::filesystem::path state() const { return folder() / "state.db"; }
  std::filesystem::path log() const { return folder() / "state.db-wal"; }
  // Some rows; file_ and log_ are as a crash would leave them: what was committed is in the log.
  Rows fill(int commits = 20) {
    SqliteRig rig(folder());
    EXPECT_EQ(rig.open(), "");
    for (int i = 0; i < commits; ++i) {
      EXPECT_TRUE(rig.commit({.rows = {{{Table::services, std::to_string(i)}, std::string(300, static_cast<char>('a' + i % 26))}},
                              .removed = {}}));
    }
    Rows rows = rig.rows();
    file_ = file_bytes(state());
    log_ = file_bytes(log());
    return rows;
  }
  void put_back() {
    write_bytes(state(), file_);
    write_bytes(log(), log_);
  }
  void change(const std::string& sql) {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(state().c_str(), &handle), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(handle);
    sqlite3_close(handle);
  }
  std::string error_of_opening() {
    SqliteRig rig(folder());
    return rig.open();
  }
  static mode_t mode_of(const std::filesystem::path& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0);
    return info.st_mode & 07777;
  }

  TempFolder folder_{memory_folder()};
  std::string file_;
  std::string log_;
};

TEST_F(StoreOpening, MakesItsFilesPrivateWhateverTheUmaskSays) {
  const mode_t before = ::umask(0);
  SqliteRig rig(folder_ / "parent" / "state");
  ASSERT_EQ(rig.open(), "");
  rig.commit({.rows = {{{Table::heads, ""}, "x"}}, .removed = {}});
  ::umask(before);
  EXPECT_EQ(mode_of(folder_ / "parent"), 0700U);
  EXPECT_EQ(mode_of(folder_ / "parent" / "state"), 0700U);
  for (const char* name : {"state.db", "state.db-wal", "state.lock"}) {
    EXPECT_EQ(mode_of(folder_ / "parent" / "state" / name), 0600U) << name;
  }
}

TEST_F(StoreOpening, RefusesAFolderInWhichOthersMayWrite) {
  std::filesystem::create_directory(folder());
  ::chmod(folder().c_str(), 0770);
  EXPECT_NE(error_of_opening().find("no other user may write"), std::string::npos);
}

TEST_F(StoreOpening, LeavesOneFileBehindAnOrderlyEnd) {
  fill();
  EXPECT_FALSE(std::filesystem::exists(log()));
  EXPECT_FALSE(std::filesystem::exists(folder() / "state.new"));
}

TEST_F(StoreOpening, NamesTheFirstOwnerToTheSecond) {
  SqliteRig first(folder());
  ASSERT_EQ(first.open(), "");
  const std::string error = error_of_opening();
  EXPECT_NE(error.find("in use by process " + std::to_string(::getpid()) + ", since 20"), std::string::npos) << error;
  ASSERT_TRUE(first.commit({.rows = {{{Table::heads, ""}, "x"}}, .removed = {}}));
  first.close();
  EXPECT_EQ(error_of_opening(), "");
}

TEST_F(StoreOpening, RefusesAFileThatAnotherProgramHasLocked) {
  fill();
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(state().c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "PRAGMA locking_mode=EXCLUSIVE; BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  const std::string error = error_of_opening();
  EXPECT_NE(error.find("locked; another program has it open"), std::string::npos) << error;
  sqlite3_close(other);
  EXPECT_EQ(error_of_opening(), "");
}

TEST_F(StoreOpening, RefusesANewerVersionAndKeepsIt) {
  fill();
  change("PRAGMA user_version = 99");
  const std::string bytes = file_bytes(state());
  const std::string error = error_of_opening();
  EXPECT_NE(error.find("has version 99; this program reads versions up to 1"), std::string::npos) << error;
  EXPECT_EQ(file_bytes(state()), bytes);
}

TEST_F(StoreOpening, RefusesTheDatabaseOfAnotherProgramAndKeepsIt) {
  std::filesystem::create_directory(folder());
  ::chmod(folder().c_str(), 0700);
  change("CREATE TABLE theirs(x)");
  const std::string bytes = file_bytes(state());
  EXPECT_NE(error_of_opening().find("is a database of another program"), std::string::npos);
  EXPECT_EQ(file_bytes(state()), bytes);
}

TEST_F(StoreOpening, NoticesARowThatWasChangedByHand) {
  fill();
  change("UPDATE rows SET bytes = x'00' WHERE name = x'37'");
  EXPECT_NE(error_of_opening().find("are not the 20 that were committed last"), std::string::npos) << error_of_opening();
}

TEST_F(StoreOpening, NoticesThatOnlyItsLogIsThere) {
  fill();
  put_back();
  std::filesystem::remove(state());
  EXPECT_NE(error_of_opening().find("is missing, but its log is there"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(state()));
}

TEST_F(StoreOpening, ReadsAllAfterACrash) {
  const Rows rows = fill();
  put_back();
  SqliteRig rig(folder());
  ASSERT_EQ(rig.open(), "");
  EXPECT_EQ(rig.rows(), rows);
}

// Every bit of the file counts, or it is not noticed because it means nothing: never are other rows read.
TEST_F(StoreOpening, NeverReadsOtherRowsFromADamagedFile) {
  const Rows rows = fill();
  const std::string whole = file_bytes(state());
  std::mt19937_64 random(5);
  int refused = 0;
  for (int i = 0; i < 400; ++i) {
    std::string bytes = whole;
    // Heads of pages and of the file are few bytes among many.
    const std::size_t at = i < 120 ? static_cast<std::size_t>(i) : random() % bytes.size();
    bytes[at] = static_cast<char>(bytes[at] ^ 1 << random() % 8);
    write_bytes(state(), bytes);
    std::filesystem::remove(log());
    SqliteRig rig(folder());
    const std::string error = rig.open();
    if (error.empty()) {
      ASSERT_EQ(rig.rows(), rows) << "bit of byte " << at;
      continue;
    }
    ++refused;
    EXPECT_NE(error.find(state().string()), std::string::npos) << error;
    ASSERT_EQ(file_bytes(state()), bytes) << "byte " << at << ": a refused file is kept as it is: " << error;
  }
  EXPECT_GT(refused, 100);
}

TEST_F(StoreOpening, RefusesAFileThatWasCutAndKeepsIt) {
  fill();
  const std::string whole = file_bytes(state());
  for (std::size_t size = 0; size < whole.size(); size += 512) {
    write_bytes(state(), whole.substr(0, size));
    ASSERT_NE(error_of_opening(), "") << size;
    ASSERT_EQ(file_bytes(state()), whole.substr(0, size));
  }
}

// A commit that was never acknowledged may be cut; what is behind it tells that it was acknowledged.
TEST_F(StoreOpening, NeverLosesMoreOfADamagedLogThanItsLastCommit) {
  const Rows rows = fill();
  Rows without_last = rows;
  without_last.erase({Table::services, "19"});
  std::mt19937_64 random(6);
  int refused = 0;
  for (int i = 0; i < 300; ++i) {
    put_back();
    std::string bytes = log_;
    const std::size_t at = random() % bytes.size();
    bytes[at] = static_cast<char>(bytes[at] ^ 1 << random() % 8);
    write_bytes(log(), bytes);
    SqliteRig rig(folder());
    const std::string error = rig.open();
    if (error.empty()) {
      const Rows found = rig.rows();
      ASSERT_TRUE(found == rows || found == without_last) << "bit of byte " << at;
      continue;
    }
    ++refused;
    EXPECT_NE(error.find("there are commits behind a part that cannot be read"), std::string::npos) << error;
    ASSERT_EQ(file_bytes(log()), bytes);
    ASSERT_EQ(file_bytes(state()), file_);
  }
  EXPECT_GT(refused, 200);
}

TEST_F(StoreOpening, TakesALogThatWasCutAsTheEndOfAnUnfinishedCommit) {
  const Rows rows = fill(6);
  for (std::size_t size = 0; size < log_.size(); size += 1'000) {
    put_back();
    write_bytes(log(), log_.substr(0, size));
    SqliteRig rig(folder());
    ASSERT_EQ(rig.open(), "") << size;
    const Rows found = rig.rows();
    Rows expected;
    for (std::size_t i = 0; i < found.size(); ++i) {
      const Key key{Table::services, std::to_string(i)};
      expected.emplace(key, rows.at(key));
    }
    ASSERT_EQ(found, expected) << size;
  }
}

// Migrations.

TEST_F(StoreOpening, ReadsAFileOfVersionOne) {
  std::filesystem::create_directory(folder());
  ::chmod(folder().c_str(), 0700);
  std::filesystem::copy_file(kStateV1File, state());
  SqliteRig rig(folder());
  ASSERT_EQ(rig.open(), "");
  const Rows expected{{{Table::heads, ""}, std::string("\x01\x00heads", 7)},
                      {{Table::entries, "orders"}, R"({"id":"orders"})"},
                      {{Table::entries, "empty"}, ""},
                      {{Table::services, "7"}, std::string(5'000, '7')}};
  EXPECT_EQ(rig.rows(), expected);
  EXPECT_TRUE(rig.commit({.rows = {{{Table::services, "8"}, "8"}}, .removed = {}}));
}

Result<void> add_a_column(Connection& connection) {
  return connection.run("ALTER TABLE stamp ADD COLUMN note TEXT");
}
Result<void> fails(Connection& connection) {
  if (Result<void> done = connection.run("DROP TABLE stamp"); !done) return done;
  return file_error(connection.path(), "has no way on");
}

TEST_F(StoreOpening, TakesEachStepFromTheVersionOfTheFileToTheLast) {
  fill();
  Result<Connection> connection = Connection::open(state().string(), nullptr);
  ASSERT_TRUE(connection.ok());
  const std::array steps{migrations()[0], Migration{add_a_column}};
  ASSERT_TRUE(bring_up_to_date(connection.value(), steps).ok());
  EXPECT_EQ(connection.value().number("PRAGMA user_version").value(), 2);
  EXPECT_EQ(connection.value().number("SELECT count(note) + 1 FROM stamp").value(), 1);
}

TEST_F(StoreOpening, LeavesTheFileAsItWasWhenAStepFails) {
  const Rows rows = fill();
  {
    Result<Connection> connection = Connection::open(state().string(), nullptr);
    ASSERT_TRUE(connection.ok());
    const std::array steps{migrations()[0], Migration{fails}};
    EXPECT_FALSE(bring_up_to_date(connection.value(), steps).ok());
  }
  SqliteRig rig(folder());
  ASSERT_EQ(rig.open(), "");
  EXPECT_EQ(rig.rows(), rows);
}

}  // namespace
}  // namespace azora::store
