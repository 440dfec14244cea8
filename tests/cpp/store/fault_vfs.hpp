#pragma once
// A layer for files below SQLite that counts its calls, fails when it is told, and knows what a power cut would leave.
// It maps no file, and without Memory::shared it has no shared memory, so what runs over it needs neither. Shared memory
// is that of the layer "unix-excl": the process's own, which no fault reaches.
// A write that fails has written the first half of its sectors; what is within one sector is written as a whole. An
// fsync that fails leaves bytes that can be read but never reach the disk, as Linux does: a later fsync does not write
// them. A power cut leaves, of what was not made durable, any part, in sectors.
// Threads: the settings are the test's while no store works over it, the rest any. Ownership: registered under name()
// while it lives; what is opened over it ends before it. Fails: as it is told.
#include <sqlite3.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>

#include "azora/base/mutex.hpp"

namespace azora::store {

// Files by name.
using DiskImage = std::map<std::string, std::string>;
void write_image(const DiskImage& image, const std::filesystem::path& folder);

class FaultVfs {
 public:
  enum class Kind { open, remove, access, read, write, truncate, sync, size, lock };
  static constexpr int kKinds = 9;
  struct Plan {
    std::int64_t at = -1;   // the number of the first call that fails; negative: none
    bool lasting = false;   // all later ones fail, too
    bool full = false;      // there is no room: only calls that write fail
  };

  enum class Memory { none, shared };
  explicit FaultVfs(Memory memory = Memory::none);
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;
  static const char* name() { return "azora-fault"; }

  // Counts calls from 0 on.
  void set_plan(Plan plan);
  std::int64_t calls() const { return calls_.load(); }
  int fired() const { return fired_.load(); }
  int fired(Kind kind) const { return fired_by_kind_[static_cast<std::size_t>(kind)].load(); }
  // Called before each call, on its thread.
  void set_before_call(std::function<void()> hook) { before_call_ = std::move(hook); }

  // What the disk would hold of this folder if the power failed now. `share`: of the sectors that were not made
  // durable, this share is on the disk all the same.
  DiskImage cut_power(const std::filesystem::path& folder, double share, std::mt19937_64& random);

  // For the functions behind SQLite's tables: the code of the failure, or SQLITE_OK.
  int call(Kind kind);
  void note_open(const std::string& path);
  void note_write(const std::string& path, std::int64_t at, std::int64_t size);
  void note_sync(const std::string& path, bool failed);

  sqlite3_vfs* below() const { return below_; }
  Memory memory() const { return memory_; }

 private:
  struct Disk {
    std::string bytes;                // that are durable
    std::set<std::int64_t> unwritten;  // sectors that the next fsync writes
    std::set<std::int64_t> dropped;    // that no fsync will write
  };
  Disk& disk_of(const std::string& path) AZORA_REQUIRES(mutex_);

  const Memory memory_;
  sqlite3_vfs* below_;
  sqlite3_vfs vfs_{};
  std::function<void()> before_call_;
  std::atomic<std::int64_t> calls_{0};
  std::atomic<int> fired_{0};
  std::atomic<int> fired_by_kind_[kKinds]{};
  Mutex mutex_;
  Plan plan_ AZORA_GUARDED_BY(mutex_);
  std::map<std::uint64_t, Disk> disks_ AZORA_GUARDED_BY(mutex_);  // by inode: files are renamed
};

}  // namespace azora::store
