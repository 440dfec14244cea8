#include "azora/events/log.hpp"

#include <algorithm>
#include <utility>

namespace azora::events {

EventLog::EventLog(Limits limits, std::uint64_t first_seq)
    : limits_(limits), next_seq_(first_seq), visible_(first_seq - 1) {}

std::uint64_t EventLog::append(Event event) {
  event.seq = next_seq_.fetch_add(1, std::memory_order_relaxed);
  const std::uint64_t seq = event.seq;
  turn_.push_back(std::make_shared<const Event>(std::move(event)));
  return seq;
}

void EventLog::keep(Memory& memory, EventPtr event, std::size_t limit) {
  memory.events.push_back(std::move(event));
  if (memory.events.size() <= limit) return;
  memory.evicted_through = memory.events.front()->seq;
  ++memory.evicted;
  memory.events.pop_front();
}

void EventLog::publish_turn() {
  if (turn_.empty()) return;
  std::vector<std::shared_ptr<Cursor>> readers;
  {
    MutexLock lock(mutex_);
    for (EventPtr& event : turn_) {
      const bool check = event->type == EventType::health_check;
      keep(check ? checks_ : state_, std::move(event), check ? limits_.health_checks : limits_.state_events);
    }
    visible_.store(head(), std::memory_order_release);
    std::erase_if(cursors_, [&](const std::weak_ptr<Cursor>& weak) {
      std::shared_ptr<Cursor> cursor = weak.lock();
      const bool gone = cursor == nullptr;
      if (!gone) readers.push_back(std::move(cursor));
      return gone;
    });
  }
  turn_.clear();
  for (const std::shared_ptr<Cursor>& reader : readers) reader->wake();
}

std::shared_ptr<Cursor> EventLog::cursor(std::optional<std::uint64_t> since, Filter filter) {
  MutexLock lock(mutex_);
  const std::uint64_t newest = visible();
  const bool reset = since && *since > newest;
  auto made = std::make_shared<Cursor>(shared_from_this(), reset ? 0 : since.value_or(newest), reset, std::move(filter));
  cursors_.push_back(made);
  return made;
}

std::uint64_t EventLog::evicted() const {
  MutexLock lock(mutex_);
  return state_.evicted + checks_.evicted;
}

}  // namespace azora::events
