#pragma once
// Gives each 64-bit key a small number, which is given to another key once this one is removed. A key costs about
// twenty bytes: keys lie in one array by their numbers, and those of the same hash are linked by numbers.
// Threads: one at a time. Fails: never; remove() takes a number that is in use.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "azora/base/hash.hpp"

namespace azora::health {

class KeySlots {
 public:
  using Number = std::uint32_t;

  // The number of the key, a new one if it had none.
  Number number_of(std::uint64_t key) {
    if (heads_.empty()) heads_.resize(kFewest, kNone);
    for (Number at = heads_[head_of(key)]; at != kNone; at = following_[at]) {
      if (keys_[at] == key) return at;
    }
    if (free_.empty() && keys_.size() == heads_.size()) grow();
    Number number = static_cast<Number>(keys_.size());
    if (free_.empty()) {
      keys_.push_back(key);
      following_.push_back(kNone);
    } else {
      number = free_.back();
      free_.pop_back();
      keys_[number] = key;
    }
    link(number);
    return number;
  }
  std::uint64_t key(Number number) const { return keys_[number]; }
  // All numbers that were ever given are smaller.
  std::size_t bound() const { return keys_.size(); }

  void remove(Number number) {
    Number* place = &heads_[head_of(keys_[number])];
    while (*place != number) place = &following_[*place];
    *place = following_[number];
    free_.push_back(number);
  }

 private:
  static constexpr Number kNone = UINT32_MAX;
  static constexpr std::size_t kFewest = 16;

  std::size_t head_of(std::uint64_t key) const { return mix64(key) & (heads_.size() - 1); }
  void link(Number number) {
    Number& head = heads_[head_of(keys_[number])];
    following_[number] = head;
    head = number;
  }
  void grow() {  // only when every number is in use
    heads_.assign(2 * heads_.size(), kNone);
    for (Number number = 0; number < keys_.size(); ++number) link(number);
  }

  std::vector<std::uint64_t> keys_;  // by number
  std::vector<Number> following_;    // the next number in the list of the same hash
  std::vector<Number> heads_;
  std::vector<Number> free_;
};

}  // namespace azora::health
