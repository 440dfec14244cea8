#pragma once
// One reader's way through the two memories: its place, its filter, and the account of what it lost.
// A `gap` comes before the events within its range and behind it. Its number is the reader's place before it, so that a
// reader who begins again there loses nothing. `count` is exact for a reader of all events: what is lost afterwards
// within the range, because it was evicted before the reader came to it, is the count of another gap. For a reader of
// some types it also counts events of other types between the lost ones.
// Threads: one at a time. Ownership: what was found shares events and names with the memories. Fails: never.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "azora/base/time.hpp"
#include "azora/events/check_memory.hpp"
#include "azora/events/filter.hpp"
#include "azora/events/state_memory.hpp"

namespace azora::events {

// What look() copied, in order. Checks and gaps become events afterwards, when the memories need not stand still for it.
class Found {
 public:
  std::size_t size() const { return events_.size(); }
  void add(EventPtr event) { events_.push_back(std::move(event)); }
  void add(const CheckRecord& record, std::shared_ptr<const std::string> id, std::shared_ptr<const std::string> reason) {
    checks_.push_back({events_.size(), record, std::move(id), std::move(reason)});
    events_.emplace_back();
  }
  void add_gap(std::uint64_t place, std::uint64_t from, std::uint64_t to, std::uint64_t count) {
    gaps_.push_back({events_.size(), place, from, to, count, false});
    events_.emplace_back();
  }
  // The place asked for is not of this log.
  void add_reset() {
    gaps_.push_back({events_.size(), 0, 0, 0, 0, true});
    events_.emplace_back();
  }
  // Takes all out; gaps are of this time.
  std::vector<EventPtr> take(WallTime now);
  bool has_gap() const { return !gaps_.empty(); }

 private:
  struct Check {
    std::size_t index;
    CheckRecord record;
    std::shared_ptr<const std::string> id;
    std::shared_ptr<const std::string> reason;
  };
  struct Gap {
    std::size_t index;
    std::uint64_t place;
    std::uint64_t from;
    std::uint64_t to;
    std::uint64_t count;
    bool reset;
  };
  std::vector<EventPtr> events_;  // null where a check or a gap comes
  std::vector<Check> checks_;
  std::vector<Gap> gaps_;
};

class Reading {
 public:
  Reading(std::uint64_t after, Filter filter) : filter_(std::move(filter)), after_(after) {}

  // Copies what comes next and passes the filter, until `out` has `limit` events. Looks at a bounded number of events;
  // false: there is nothing more.
  bool look(const StateMemory& state, const CheckMemory& checks, std::size_t limit, Found& out);

 private:
  void look_for_gap(const StateMemory& state, const CheckMemory& checks, Found& out);
  void pass(std::uint64_t seq);

  const Filter filter_;
  std::uint64_t after_;             // everything up to this number was copied or did not pass
  std::uint64_t reported_through_ = 0;  // a gap up to this number was found; 0: none that reaches beyond after_
  std::uint64_t reported_left_ = 0;     // how many of the numbers between after_ and reported_through_ it counted
};

}  // namespace azora::events
