#include "azora/events/log.hpp"

#include <algorithm>
#include <utility>

#include "azora/base/check.hpp"

namespace azora::events {

EventLog::EventLog(Limits limits, std::uint64_t first_seq, Former former)
    : next_seq_(first_seq),
      visible_(first_seq - 1),
      turn_(std::make_unique<Batch>()),
      state_(limits.state_events),
      checks_(limits.health_checks) {
  if (first_seq == 1) return;
  checks_.begin_after(former.clean ? former.head : first_seq - 1);
  state_.begin(std::move(former.events), former.clean ? former.lost_through : first_seq - 1, former.head, first_seq);
}

EventLog::~EventLog() {
  for (const Batch* batch = inbox_.load(); batch != nullptr;) delete std::exchange(batch, batch->next);
}

std::uint64_t EventLog::append(Event event) {
  AZORA_ASSERT(event.type != EventType::health_check);
  event.seq = next_seq_.fetch_add(1, std::memory_order_relaxed);
  const std::uint64_t seq = event.seq;
  turn_->events.push_back(std::make_shared<const Event>(std::move(event)));
  return seq;
}

std::uint64_t EventLog::append_check(Check check) {
  const std::uint64_t seq = next_seq_.fetch_add(1, std::memory_order_relaxed);
  turn_->checks.push_back({CheckRecord(seq, check), std::move(check.reason)});
  return seq;
}

void EventLog::add_name(std::uint64_t serial, std::shared_ptr<const std::string> id) {
  turn_->added_names.push_back({serial, std::move(id)});
}

void EventLog::drop_name(std::uint64_t serial) { turn_->dropped_names.push_back({serial, head()}); }

void EventLog::publish_turn() {
  if (!turn_->has_events()) return;  // names go with the next turn that has events
  std::unique_ptr<Batch> next_turn = pool_.take();
  Batch* batch = std::exchange(turn_, std::move(next_turn)).release();
  batch->next = inbox_.load(std::memory_order_relaxed);
  while (!inbox_.compare_exchange_weak(batch->next, batch, std::memory_order_release, std::memory_order_relaxed)) {
  }
  visible_.store(head(), std::memory_order_release);
  empty_inbox(woken_);
  if (inbox_.load(std::memory_order_relaxed) == batch) handed_over_.fetch_add(1, std::memory_order_relaxed);
}

void EventLog::keep(Batch& batch) {
  for (Batch::AddedName& added : batch.added_names) checks_.add_name(added.serial, std::move(added.id));
  for (EventPtr& event : batch.events) state_.keep(std::move(event));
  for (Batch::OneCheck& check : batch.checks) checks_.keep(check.record, std::move(check.reason));
  for (const Batch::DroppedName& dropped : batch.dropped_names) checks_.drop_name(dropped.serial, dropped.last_seq);
}

void EventLog::take_in(Readers& to_wake) {
  // Oldest first.
  Batch* oldest = nullptr;
  for (Batch* batch = inbox_.exchange(nullptr, std::memory_order_acquire); batch != nullptr;) {
    oldest = std::exchange(batch, std::exchange(batch->next, oldest));
  }
  if (oldest == nullptr) return;
  while (oldest != nullptr) {
    std::unique_ptr<Batch> batch(std::exchange(oldest, oldest->next));
    keep(*batch);
    pool_.give_back(std::move(batch));
  }
  std::erase_if(cursors_, [&](const std::weak_ptr<Cursor>& weak) {
    std::shared_ptr<Cursor> cursor = weak.lock();
    const bool ended = cursor == nullptr;
    if (!ended) to_wake.push_back(std::move(cursor));
    return ended;
  });
}

void EventLog::wake(Readers& readers) {
  for (const std::shared_ptr<Cursor>& reader : readers) reader->wake();
  readers.clear();
}

// A thread that cannot get the lock leaves the inbox to the holder of the lock, which comes here after it has given up
// the lock. The fence makes sure that one of the two sees what the other wrote before: the batch, or the free lock.
void EventLog::empty_inbox(Readers& readers) {
  while (true) {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (inbox_.load(std::memory_order_relaxed) == nullptr || !mutex_.try_lock()) return;
    take_in(readers);
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
  Readers readers;
  empty_inbox(readers);
  return made;
}

std::uint64_t EventLog::evicted() const {
  MutexLock lock(mutex_);
  return state_.evicted() + checks_.evicted();
}

}  // namespace azora::events
