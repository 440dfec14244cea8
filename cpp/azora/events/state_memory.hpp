#pragma once
// The last state events, in the order of their numbers.
// Threads: one at a time (the log's lock). Ownership: shares the events with readers. Fails: never.
#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

#include "azora/model/event.hpp"

namespace azora::events {

using EventPtr = std::shared_ptr<const Event>;

class StateMemory {
 public:
  using Place = std::deque<EventPtr>::const_iterator;

  explicit StateMemory(std::size_t limit) : limit_(limit) {}

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
};

}  // namespace azora::events
