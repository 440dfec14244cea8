#pragma once
// Strings that many records share: the reasons of failed checks. Each string is kept once and has a number of 16 bits.
// It stays as long as a record refers to it, so there are never more strings than records.
// Threads: one at a time. Ownership: strings are shared with readers. Fails: never; the caller must keep at most 65,535
// records, because there can be no more different strings at a time.
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "azora/base/check.hpp"

namespace azora::events {

class StringTable {
 public:
  using Place = std::uint16_t;
  static constexpr std::size_t kLimit = 65'535;

  // Adds a reference to this string and returns its place; 0 for the empty string, which is not kept.
  Place add(std::string string) {
    if (string.empty()) return 0;
    if (const auto known = places_.find(string); known != places_.end()) {
      ++entries_[known->second].references;
      return known->second;
    }
    if (free_.empty()) {
      AZORA_ASSERT(entries_.size() <= kLimit);
      if (entries_.size() > kLimit) return 0;
      free_.push_back(static_cast<Place>(entries_.size()));
      entries_.emplace_back();
    }
    const Place place = free_.back();
    Entry& entry = entries_[place];
    entry.string = std::make_shared<const std::string>(std::move(string));
    places_.emplace(*entry.string, place);
    entry.references = 1;
    free_.pop_back();
    return place;
  }

  // Removes one reference.
  void release(Place place) {
    if (place == 0) return;
    Entry& entry = entries_[place];
    if (--entry.references != 0) return;
    places_.erase(*entry.string);
    entry.string = nullptr;
    free_.push_back(place);
  }

  // Null for 0.
  const std::shared_ptr<const std::string>& get(Place place) const { return entries_[place].string; }
  std::size_t size() const { return places_.size(); }

 private:
  struct Entry {
    std::shared_ptr<const std::string> string;
    std::uint32_t references = 0;
  };
  std::deque<Entry> entries_ = std::deque<Entry>(1);  // by place; the first stands for the empty string
  std::vector<Place> free_;
  std::unordered_map<std::string_view, Place> places_;
};

}  // namespace azora::events
