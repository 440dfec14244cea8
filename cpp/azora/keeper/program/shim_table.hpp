#pragma once
// What the keeper knows of each service. Entries keep their place in memory; a serial is never used for another one.
// Threads: the program has one. Fails: add() returns nullptr when the table is full.
#include <cstddef>
#include <cstdint>

#include "azora/keeper/flag_set.hpp"
#include "azora/keeper/program/sys.hpp"
#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

// What is still to be sent to a shim, in the order in which it is sent.
enum class ToShim : std::uint8_t { hello, list, move, stop, kill, ack, forget, goodbye };

struct ShimEntry {
  Record record;              // the newest that we know
  int link = -1;
  int pid = 0;                // of the shim; 0: there is none, or it has not said so
  StopOrder stop;             // of the STOP to be sent
  int left = 0;               // living processes that the last pass of a sweep found
  bool has_shim = false;      // one lives, as far as we know
  bool is_child = false;      // of ours: wait reports its death, and what it leaves comes to us
  bool heard = false;         // over this link
  bool link_waits = false;    // for room to write
  bool unsent = false;        // the orchestrator has not been sent `record`
  bool sweeping = false;      // the shim died with processes below it
  bool foreign_orphans = false;  // which became children of another process: they are to be searched for
  bool same_session = false;  // of the main process, still (search.hpp)
  bool forgotten = false;
  FlagSet<ToShim> to_send;    // about the current incarnation
};

class ShimTable {
 public:
  static constexpr int kMost = 32 * 1024;
  ShimTable()
      : serials_(static_cast<std::uint64_t*>(sys::map(kMost * sizeof(std::uint64_t)))),
        entries_(static_cast<ShimEntry*>(sys::map(kMost * sizeof(ShimEntry)))) {}
  bool ok() const { return serials_ != nullptr && entries_ != nullptr; }

  ShimEntry* find(std::uint64_t serial) {
    if (serial == 0) return nullptr;
    for (int i = 0; i < end_; ++i) {
      if (serials_[i] == serial) return &entries_[i];
    }
    return nullptr;
  }
  ShimEntry* find_shim(int pid) {
    return first([pid](const ShimEntry& entry) { return entry.has_shim && entry.pid == pid; });
  }
  ShimEntry* add(std::uint64_t serial) {
    int slot = 0;
    while (slot < end_ && serials_[slot] != 0) ++slot;
    if (slot == kMost) return nullptr;
    if (slot == end_) ++end_;
    ++count_;
    serials_[slot] = serial;
    entries_[slot] = ShimEntry{};
    entries_[slot].record.serial = serial;
    return &entries_[slot];
  }
  void remove(ShimEntry& entry) {
    serials_[&entry - entries_] = 0;
    --count_;
    while (end_ > 0 && serials_[end_ - 1] == 0) --end_;
  }
  // visit(ShimEntry&) may remove the entry it is given.
  template <typename Visit>
  void for_each(Visit visit) {
    for (int i = 0; i < end_; ++i) {
      if (serials_[i] != 0) visit(entries_[i]);
    }
  }
  template <typename Matches>
  ShimEntry* first(Matches matches) {
    for (int i = 0; i < end_; ++i) {
      if (serials_[i] != 0 && matches(entries_[i])) return &entries_[i];
    }
    return nullptr;
  }
  int count() const { return count_; }

 private:
  std::uint64_t* serials_;  // apart, so that a search reads little; 0: free
  ShimEntry* entries_;
  int end_ = 0;             // slots in use are below
  int count_ = 0;
};

}  // namespace azora::keeper
