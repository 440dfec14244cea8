#pragma once
// The last state events, in the order of their numbers.
// Threads: one at a time (the log's lock). Ownership: shares the events with readers. Fails: never.
#include <algorithm>
#include <cstdint>
#include <deque>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "azora/model/event.hpp"

namespace azora::events {

using EventPtr = std::shared_ptr<const Event>;

class StateMemory {
 public:
  using Place = std::deque<EventPtr>::const_iterator;

  explicit StateMemory(std::size_t limit) : limit_(limit) {}

  // The events of a former log, of which those up to `lost_through` are lost. No event has a number above `head` and
  // below `first`.
  void begin(std::vector<EventPtr> former, std::uint64_t lost_through, std::uint64_t head, std::uint64_t first) {
    events_.assign(std::make_move_iterator(former.begin()), std::make_move_iterator(former.end()));
    evicted_through_ = lost_through;
    head_ = head;
    first_ = first;
  }
  // How many numbers above `after` and up to `end` no event has.
  std::uint64_t unused(std::uint64_t after, std::uint64_t end) const {
    const std::uint64_t from = std::max(after, head_);
    const std::uint64_t to = std::min(end, first_ - 1);
    return to > from ? to - from : 0;
  }

  // Drops the oldest events while there are more than `limit`.
  void keep(EventPtr event) {
    events_.push_back(std::move(event));
    if (events_.size() <= limit_) return;
    evicted_through_ = events_.front()->seq;
    ++evicted_;
    events_.pop_front();
  }

  Place first_after(std::uint64_t seq) const {
    return std::partition_point(events_.begin(), events_.end(),
                                [&](const EventPtr& event) { return event->seq <= seq; });
  }
  Place end() const { return events_.end(); }
  std::uint64_t evicted_through() const { return evicted_through_; }  // number of the newest dropped event
  std::uint64_t evicted() const { return evicted_; }

 private:
  std::size_t limit_;
  std::deque<EventPtr> events_;
  std::uint64_t evicted_through_ = 0;
  std::uint64_t evicted_ = 0;
  std::uint64_t head_ = 0;   // the last number of the former log, as far as it is known
  std::uint64_t first_ = 1;  // the first one of this log
};

}  // namespace azora::events
