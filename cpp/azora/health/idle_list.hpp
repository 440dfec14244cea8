#pragma once
// The connections kept between checks, oldest first, named by slot. The oldest is closed when descriptors are short.
// Threads: one at a time. Fails: never.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "azora/health/check_key.hpp"

namespace azora::health {

class IdleList {
 public:
  using Slot = CheckKey::Slot;

  void add(Slot slot) {
    if (slot >= links_.size()) links_.resize(slot + 1);
    Link& link = links_[slot];
    if (link.listed) return;
    link = {newest_, kNone, true};
    (newest_ != kNone ? links_[newest_].newer : oldest_) = slot;
    newest_ = slot;
    ++count_;
  }
  void remove(Slot slot) {
    if (!contains(slot)) return;
    Link& link = links_[slot];
    (link.older != kNone ? links_[link.older].newer : oldest_) = link.newer;
    (link.newer != kNone ? links_[link.newer].older : newest_) = link.older;
    link = {};
    --count_;
  }
  bool contains(Slot slot) const { return slot < links_.size() && links_[slot].listed; }
  std::size_t size() const { return count_; }
  // Only when there is one.
  Slot oldest() const { return oldest_; }

 private:
  static constexpr Slot kNone = CheckKey::kNoSlot;
  struct Link {
    Slot older = kNone;
    Slot newer = kNone;
    bool listed = false;
  };

  std::vector<Link> links_;
  Slot oldest_ = kNone;
  Slot newest_ = kNone;
  std::size_t count_ = 0;
};

}  // namespace azora::health
