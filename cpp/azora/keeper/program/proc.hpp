#pragma once
// What /proc says about processes. Threads: the program has one.
#include <cstdint>

namespace azora::keeper {

struct ProcessStat {
  int pid = 0;
  char state = 0;  // 'Z', 'X': dead
  int parent = 0;
  int session = 0;
  std::uint64_t start_ticks = 0;
  bool alive() const { return state != 0 && state != 'Z' && state != 'X'; }
};

// False: there is no such process.
bool read_stat(int pid, ProcessStat* stat);

// Inode of the pipe that is open as `fd` in that process, 0 when there is none or it may not be seen.
std::uint64_t pipe_inode(int pid, int fd);

// A set of pids to walk along; grows in memory of its own, given back at the end.
class PidList {
 public:
  PidList();
  ~PidList();
  PidList(const PidList&) = delete;
  PidList& operator=(const PidList&) = delete;
  void add(int pid) {
    if (pids_ != nullptr && count_ < kMost) pids_[count_++] = pid;
  }
  int count() const { return count_; }
  int at(int index) const { return pids_[index]; }
  bool contains(int pid) const;

 private:
  static constexpr int kMost = 128 * 1024;  // above the largest process table a fork bomb fills
  int* pids_;
  int count_ = 0;
};

// Processes by their identity: a pid and when it began. Takes memory at the first add(), gives it back by clear().
class ProcessSet {
 public:
  ProcessSet() = default;
  ~ProcessSet() { clear(); }
  ProcessSet(const ProcessSet&) = delete;
  ProcessSet& operator=(const ProcessSet&) = delete;
  void add(const ProcessStat& process);
  bool contains(const ProcessStat& process) const;
  void clear();

 private:
  struct Identity {
    std::int64_t pid;
    std::uint64_t start_ticks;
  };
  static constexpr int kMost = 128 * 1024;
  Identity* known_ = nullptr;
  int count_ = 0;
};

// Adds the children of `pid`, those of all its threads.
void add_children(int pid, PidList* list);

}  // namespace azora::keeper
