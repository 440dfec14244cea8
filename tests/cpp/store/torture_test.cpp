// Real faults: a writer that is killed at random moments, a disk that is full, read-only, hung or taken away.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "azora/base/fd.hpp"
#include "azora/base/mutex.hpp"
#include "store/fault_vfs.hpp"
#include "store/store_rig.hpp"
#include "support/signal_process.hpp"

namespace azora::store {
namespace {

using Rows = std::map<Key, std::string>;

// The batch of that number, of a store that had all batches before it.
Batch numbered(std::uint64_t number) {
  std::mt19937_64 random(number);
  Batch batch{.rows = {{{Table::heads, ""}, std::to_string(number)}}, .removed = {}};
  const Key changed{Table::services, std::to_string(random() % 50)};
  if (random() % 4 == 0) batch.removed.push_back(changed);
  else batch.rows.push_back({changed, std::string(random() % 3'000, static_cast<char>('a' + number % 26))});
  return batch;
}

std::uint64_t last_in(const Rows& rows) {
  const auto found = rows.find({Table::heads, ""});
  return found == rows.end() ? 0 : std::stoull(found->second);
}

// The child: commits the batches from `first` on, with some under way at any time, and writes the number of each that
// was acknowledged to `told`. It ends by being killed.
[[noreturn]] void write_for_ever(const std::filesystem::path& folder, std::uint64_t first, int told) {
  constexpr std::uint64_t kUnderWay = 8;
  const ThreadRole::Scope role(control_thread);
  AsioLoop loop;
  Result<std::unique_ptr<SqliteStore>> store = SqliteStore::open(folder, loop, {});
  if (!store) ::_exit(2);
  Answers answers;
  store.value()->set_listener(&answers);
  std::uint64_t next = first;
  answers.heard = [&](Ticket ticket) {
    const std::uint64_t number = first + ticket - 1;
    if (::write(told, &number, sizeof number) != sizeof number) ::_exit(3);
    store.value()->commit(numbered(next++));
  };
  while (next < first + kUnderWay) store.value()->commit(numbered(next++));
  loop.run();
  ::_exit(4);
}

// A child that writes until it is killed; returns the last number that it told, or `first` - 1.
std::uint64_t killed_writer(const std::filesystem::path& folder, std::uint64_t first, std::uint64_t after) {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd reading(ends[0]);
  Fd writing(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) write_for_ever(folder, first, writing.get());
  writing.reset();
  std::uint64_t told = first - 1;
  std::uint64_t number = 0;
  while (told + 1 < first + after && ::read(reading.get(), &number, sizeof number) == sizeof number) told = number;
  EXPECT_EQ(signal_process(child, SIGKILL), 0);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status)) << "exit code " << WEXITSTATUS(status);
  while (::read(reading.get(), &number, sizeof number) == sizeof number) told = number;
  return told;
}

TEST(StoreTorture, AWriterKilledAtAnyMomentLosesNothingItTold) {
  const TempFolder folder;
  std::mt19937_64 random(7);
  Rows expected;
  std::uint64_t stored = 0;
  for (int round = 0; round < 30; ++round) {
    // Killed at the beginning of its work or within it; when exactly within a commit is up to the machine.
    const std::uint64_t told = killed_writer(folder / "state", stored + 1, random() % 4 == 0 ? 0 : random() % 60);
    SqliteRig rig(folder / "state");
    ASSERT_EQ(rig.open(), "");
    const Rows rows = rig.rows();
    const std::uint64_t found = last_in(rows);
    ASSERT_GE(found, told) << "told, and lost";
    while (stored < found) apply_batch(expected, numbered(++stored));
    ASSERT_EQ(rows, expected) << "round " << round;
  }
  EXPECT_GT(stored, 200U);
}

// Runs the body on a thread with mounts of its own. Empty: it did; else why the system does not permit it.
std::string with_mount(const std::filesystem::path& at, const char* options, const std::function<void()>& body) {
  std::string refused;
  std::thread([&] {
    if (::unshare(CLONE_FS | CLONE_NEWNS) < 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0 ||
        ::mount("tmpfs", at.c_str(), "tmpfs", 0, options) < 0) {
      refused = std::strerror(errno);
    } else {
      body();
    }
  }).join();
  return refused;
}

TEST(StoreTorture, AFullDiskIsToldAndForgivenWhenThereIsRoomAgain) {
  const TempFolder folder;
  const std::string refused = with_mount(folder.path(), "size=1m,mode=700", [&] {
    SqliteRig rig(folder.path());
    ASSERT_EQ(rig.open(), "");
    Rows stored;
    std::vector<Key> keys;
    for (int i = 0; rig.answers().failed.empty() && i < 1'000; ++i) {
      const Batch batch{.rows = {{{Table::entries, std::to_string(i)}, std::string(20'000, 'x')}}, .removed = {}};
      if (rig.commit(batch)) apply_batch(stored, batch);
    }
    ASSERT_FALSE(rig.answers().failed.empty());
    EXPECT_TRUE(rig.answers().last_failure.full) << rig.answers().last_failure.reason;
    EXPECT_NE(rig.answers().last_failure.reason.find(folder.path().string()), std::string::npos);
    EXPECT_EQ(rig.rows(), stored);
    EXPECT_FALSE(rig.commit({.rows = {{{Table::heads, ""}, std::string(500'000, 'y')}}, .removed = {}}));
    ASSERT_EQ(::mount("tmpfs", folder.path().c_str(), "tmpfs", MS_REMOUNT, "size=4m"), 0);
    const Batch last{.rows = {{{Table::heads, ""}, std::string(500'000, 'y')}}, .removed = {}};
    ASSERT_TRUE(rig.commit(last)) << rig.answers().last_failure.reason;
    apply_batch(stored, last);
    ASSERT_EQ(rig.open(), "");
    EXPECT_EQ(rig.rows(), stored);
  });
  if (!refused.empty()) GTEST_SKIP() << "a file system cannot be mounted here: " << refused;
}

TEST(StoreTorture, ADiskThatBecomesReadOnlyIsToldAndForgiven) {
  const TempFolder folder;
  const std::string refused = with_mount(folder.path(), "size=4m,mode=700", [&] {
    SqliteRig rig(folder.path());
    ASSERT_EQ(rig.open(), "");
    ASSERT_TRUE(rig.commit({.rows = {{{Table::heads, ""}, "1"}}, .removed = {}}));
    rig.close();
    ASSERT_EQ(::mount("tmpfs", folder.path().c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr), 0);
    const std::string error = rig.open();
    EXPECT_NE(error.find("Read-only file system"), std::string::npos) << error;
    ASSERT_EQ(::mount("tmpfs", folder.path().c_str(), "tmpfs", MS_REMOUNT, nullptr), 0);
    ASSERT_EQ(rig.open(), "");
    EXPECT_TRUE(rig.commit({.rows = {{{Table::heads, ""}, "2"}}, .removed = {}}));
  });
  if (!refused.empty()) GTEST_SKIP() << "a file system cannot be mounted here: " << refused;
}

TEST(StoreTorture, AFileThatWasTakenAwayIsToldAndNeverMadeAnew) {
  const TempFolder folder;
  SqliteRig rig(folder / "state");
  ASSERT_EQ(rig.open(), "");
  ASSERT_TRUE(rig.commit({.rows = {{{Table::heads, ""}, "1"}}, .removed = {}}));
  std::filesystem::rename(folder / "state" / "state.db", folder / "kept.db");
  std::filesystem::rename(folder / "state" / "state.db-wal", folder / "kept.db-wal");
  EXPECT_FALSE(rig.commit({.rows = {{{Table::heads, ""}, "2"}}, .removed = {}}));
  EXPECT_NE(rig.answers().last_failure.reason.find("was removed or replaced"), std::string::npos);
  EXPECT_FALSE(rig.commit({.rows = {{{Table::heads, ""}, "2"}}, .removed = {}}));
  EXPECT_NE(rig.answers().last_failure.reason.find("No such file"), std::string::npos) << rig.answers().last_failure.reason;
  std::filesystem::rename(folder / "kept.db", folder / "state" / "state.db");
  std::filesystem::rename(folder / "kept.db-wal", folder / "state" / "state.db-wal");
  EXPECT_TRUE(rig.commit({.rows = {{{Table::heads, ""}, "2"}}, .removed = {}})) << rig.answers().last_failure.reason;
}

TEST(StoreTorture, AnotherFileInItsPlaceIsNotBelieved) {
  const TempFolder folder;
  SqliteRig other(folder / "other");
  ASSERT_EQ(other.open(), "");
  ASSERT_TRUE(other.commit({}));
  other.close();
  SqliteRig rig(folder / "state");
  ASSERT_EQ(rig.open(), "");
  ASSERT_TRUE(rig.commit({.rows = {{{Table::heads, ""}, "1"}}, .removed = {}}));
  std::filesystem::remove(folder / "state" / "state.db-wal");
  std::filesystem::rename(folder / "other" / "state.db", folder / "state" / "state.db");
  EXPECT_FALSE(rig.commit({}));
  EXPECT_FALSE(rig.commit({}));
  EXPECT_NE(rig.answers().last_failure.reason.find("it was replaced, or the disk has lost writes"), std::string::npos)
      << rig.answers().last_failure.reason;
}

// A disk below SQLite whose next call hangs until it is let go.
class Hang {
 public:
  explicit Hang(FaultVfs& vfs) : vfs_(vfs) {}
  ~Hang() { let_go(); }
  void begin() {
    MutexLock lock(mutex_);
    hangs_ = true;
  }
  void install() {
    vfs_.set_before_call([this] {
      MutexLock lock(mutex_);
      caught_ = caught_ || hangs_;
      changed_.notify_all();
      changed_.wait(mutex_, [this]() AZORA_NO_THREAD_SAFETY_ANALYSIS { return !hangs_; });
    });
  }
  bool wait_until_caught() {
    MutexLock lock(mutex_);
    return changed_.wait_for(mutex_, Millis(60'000), [this]() AZORA_NO_THREAD_SAFETY_ANALYSIS { return caught_; });
  }
  void let_go() {
    MutexLock lock(mutex_);
    hangs_ = false;
    changed_.notify_all();
  }

 private:
  FaultVfs& vfs_;
  Mutex mutex_;
  CondVar changed_;
  bool hangs_ AZORA_GUARDED_BY(mutex_) = false;
  bool caught_ AZORA_GUARDED_BY(mutex_) = false;
};

TEST(StoreTorture, ADiskThatHangsHoldsUpTheQueueAndNotTheCaller) {
  const TempFolder folder(memory_folder());
  FaultVfs vfs;
  Hang hang(vfs);
  hang.install();
  SqliteRig rig(folder / "state", {.vfs = FaultVfs::name()});
  ASSERT_EQ(rig.open(), "");
  hang.begin();
  for (Ticket ticket = 1; ticket <= 500; ++ticket) {
    ASSERT_EQ(rig.store().commit(numbered(ticket)), ticket);  // returns while the disk hangs
  }
  ASSERT_TRUE(hang.wait_until_caught());
  EXPECT_EQ(rig.answers().answered, 0U);
  hang.let_go();
  rig.wait_for(500);
  EXPECT_EQ(rig.answers().committed.size(), 500U);
}

TEST(StoreTorture, ADiskThatHangsForEverDoesNotHoldUpTheEndAndKeepsTheFolderLocked) {
  const TempFolder folder(memory_folder());
  FaultVfs vfs;
  Hang hang(vfs);
  hang.install();
  {
    const ThreadRole::Scope role(control_thread);
    AsioLoop loop;
    auto store = SqliteStore::open(folder / "state", loop, {.farewell = Millis(1), .file = {.vfs = FaultVfs::name()}});
    ASSERT_TRUE(store.ok());
    hang.begin();
    store.value()->commit({.rows = {{{Table::entries, "1"}, "1"}}, .removed = {}});
    ASSERT_TRUE(hang.wait_until_caught());
  }
  SqliteRig rig(folder / "state");
  EXPECT_NE(rig.open().find("in use by process"), std::string::npos);
  hang.let_go();
  const auto deadline = rig.loop().now().steady + std::chrono::seconds(60);
  while (!rig.open().empty()) {
    ASSERT_LT(rig.loop().now().steady, deadline);
    std::this_thread::yield();
  }
  EXPECT_EQ(rig.rows(), (Rows{{{Table::entries, "1"}, "1"}}));
}

// What was given until the listener hears of a failure fails with it (store.hpp, 2).
TEST(StoreTorture, NothingIsCommittedOnTopOfAHole) {
  const TempFolder folder(memory_folder());
  FaultVfs vfs;
  Hang hang(vfs);
  hang.install();
  SqliteRig rig(folder / "state", {.vfs = FaultVfs::name()});
  ASSERT_EQ(rig.open(), "");
  vfs.set_plan({.at = 0});
  hang.begin();
  rig.store().commit({.rows = {{{Table::entries, "1"}, "1"}}, .removed = {}});
  ASSERT_TRUE(hang.wait_until_caught());
  rig.store().commit({.rows = {{{Table::entries, "2"}, "2"}}, .removed = {}});
  hang.let_go();
  rig.wait_for(1);
  EXPECT_EQ(rig.answers().failed, (std::vector<Ticket>{1, 2}));
  EXPECT_TRUE(rig.commit({.rows = {{{Table::entries, "3"}, "3"}}, .removed = {}}));
  EXPECT_EQ(rig.rows(), (Rows{{{Table::entries, "3"}, "3"}}));
}

TEST(StoreTorture, WhatWaitsAtTheEndIsWritten) {
  const TempFolder folder;
  Rows expected;
  {
    SqliteRig rig(folder / "state");
    ASSERT_EQ(rig.open(), "");
    for (std::uint64_t i = 1; i <= 100; ++i) {
      rig.store().commit(numbered(i));
      apply_batch(expected, numbered(i));
    }
  }
  SqliteRig rig(folder / "state");
  ASSERT_EQ(rig.open(), "");
  EXPECT_EQ(rig.rows(), expected);
}

}  // namespace
}  // namespace azora::store
