#include "azora/events/log.hpp"

#include <algorithm>
#include <utility>

namespace azora::events {

EventLog::EventLog(Limits limits, std::uint64_t first_seq)
    : limits_(limits), next_seq_(first_seq), visible_(first_seq - 1) {}

EventLog::~EventLog() {
  for (const Batch* batch = inbox_.load(); batch != nullptr;) delete std::exchange(batch, batch->older);
}

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
  auto* batch = new Batch{std::exchange(turn_, {}), inbox_.load(std::memory_order_relaxed)};
  while (!inbox_.compare_exchange_weak(batch->older, batch, std::memory_order_release, std::memory_order_relaxed)) {
  }
  visible_.store(head(), std::memory_order_release);
  settle();
  if (inbox_.load(std::memory_order_relaxed) == batch) handed_over_.fetch_add(1, std::memory_order_relaxed);
}

EventLog::Readers EventLog::take_in() {
  Readers readers;
  // Oldest first.
  Batch* next = nullptr;
  for (Batch* batch = inbox_.exchange(nullptr, std::memory_order_acquire); batch != nullptr;) {
    next = std::exchange(batch, std::exchange(batch->older, next));
  }
  if (next == nullptr) return readers;
  while (next != nullptr) {
    const std::unique_ptr<Batch> batch(std::exchange(next, next->older));
    for (EventPtr& event : batch->events) {
      const bool check = event->type == EventType::health_check;
      keep(check ? checks_ : state_, std::move(event), check ? limits_.health_checks : limits_.state_events);
    }
  }
  std::erase_if(cursors_, [&](const std::weak_ptr<Cursor>& weak) {
    std::shared_ptr<Cursor> cursor = weak.lock();
    const bool gone = cursor == nullptr;
    if (!gone) readers.push_back(std::move(cursor));
    return gone;
  });
  return readers;
}

void EventLog::wake(const Readers& readers) {
  for (const std::shared_ptr<Cursor>& reader : readers) reader->wake();
}

// Whoever cannot have the lock leaves it to its holder, who comes here afterwards. So that one of the two sees the
// other: what each wrote before (the batch; the free lock) is visible before it looks.
void EventLog::settle() {
  while (true) {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (inbox_.load(std::memory_order_relaxed) == nullptr || !mutex_.try_lock()) return;
    const Readers readers = take_in();
    mutex_.unlock();
    wake(readers);
  }
}

std::shared_ptr<Cursor> EventLog::cursor(std::optional<std::uint64_t> since, Filter filter) {
  std::shared_ptr<Cursor> made;
  {
    MutexLock lock(mutex_);
    const std::uint64_t newest = visible();
    const bool reset = since && *since > newest;
    made = std::make_shared<Cursor>(shared_from_this(), reset ? 0 : since.value_or(newest), reset, std::move(filter));
    cursors_.push_back(made);
  }
  settle();
  return made;
}

std::uint64_t EventLog::evicted() const {
  MutexLock lock(mutex_);
  return state_.evicted + checks_.evicted;
}

}  // namespace azora::events
