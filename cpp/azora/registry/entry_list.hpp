#pragma once
// Entries in the order of their registration: a list by order numbers, with holes where entries were removed; it is
// compacted when half of it is holes. A place costs 16 bytes. Threads: control thread. Ownership: entries belong to the
// registry, which removes them here first. Fails: never; add() of an order that is present is a bug. Cost: O(log n),
// amortised; O(n) for add() of an order below the last one without a hole for it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace azora::registry {

struct Entry;

class EntryList {
 public:
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  void add(std::uint64_t order, const Entry* entry) {
    ++size_;
    if (places_.empty() || places_.back().first < order) return void(places_.emplace_back(order, entry));
    const auto at = place(order);
    if (at->first == order) {
      at->second = entry;
    } else {
      places_.emplace(at, order, entry);
    }
  }

  // False: there is no entry with that order.
  bool remove(std::uint64_t order) {
    const auto at = place(order);
    if (at == places_.end() || at->first != order || at->second == nullptr) return false;
    at->second = nullptr;
    --size_;
    if (2 * size_ < places_.size()) std::erase_if(places_, [](const Place& one) { return one.second == nullptr; });
    return true;
  }

  // In order.
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const Place& one : places_) {
      if (one.second != nullptr) visit(*one.second);
    }
  }

 private:
  using Place = std::pair<std::uint64_t, const Entry*>;  // null: a hole

  std::vector<Place>::iterator place(std::uint64_t order) {
    return std::lower_bound(places_.begin(), places_.end(), order,
                            [](const Place& one, std::uint64_t wanted) { return one.first < wanted; });
  }

  std::vector<Place> places_;
  std::size_t size_ = 0;
};

}  // namespace azora::registry
