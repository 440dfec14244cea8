#pragma once
// One reader's way through the two memories: its place, its filter, and the count of what it lost. A `gap` comes before
// the events in its range and before those after it. Its number is the reader's place before the gap, so a reader that
// begins there again loses nothing. For a reader of all events `count` is exact: events in the range that are evicted
// later, before the reader came to them, are counted by another gap. For a reader of some types it also counts events
// of other types between the lost ones.
// Threads: one at a time. Ownership: found events share data and names with the memories. Fails: never.
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

// What look() copied, in order. Checks and gaps become events later, when other threads may change the memories again.
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
  // The requested place is not in this log.
  void add_reset() {
    gaps_.push_back({events_.size(), 0, 0, 0, 0, true});
    events_.emplace_back();
  }
  // Takes everything out; gaps get the time `now`.
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

  // Copies the next events that pass the filter, until `out` has `limit` events. It examines a bounded number of
  // events; false: there are no more.
  bool look(const StateMemory& state, const CheckMemory& checks, std::size_t limit, Found& out);

 private:
  void look_for_gap(const StateMemory& state, const CheckMemory& checks, Found& out);
  void pass(std::uint64_t seq);

  const Filter filter_;
  std::uint64_t after_;             // everything up to this number was copied or did not pass
  std::uint64_t reported_through_ = 0;  // the end of the last gap found; 0: no gap reaches beyond after_
  std::uint64_t reported_left_ = 0;     // how many numbers between after_ and reported_through_ that gap has counted
};

}  // namespace azora::events
