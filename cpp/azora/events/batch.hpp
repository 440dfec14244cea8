#pragma once
// The events of one turn, on their way from the control thread into the log's memories, and the pool of empty batches.
// Batches are used again, so in the long run a turn allocates no memory.
// Threads: a batch belongs to one thread at a time. BatchPool::give_back() any thread, take() the control thread.
// Ownership: the pool owns what was given back. Fails: never.
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "azora/events/check_record.hpp"
#include "azora/events/state_memory.hpp"

namespace azora::events {

struct Batch {
  struct OneCheck {
    CheckRecord record;
    std::string reason;
  };
  struct AddedName {
    std::uint64_t serial;
    std::shared_ptr<const std::string> id;
  };
  struct DroppedName {
    std::uint64_t serial;
    std::uint64_t last_seq;
  };

  bool has_events() const { return !events.empty() || !checks.empty(); }
  void clear() {
    events.clear();
    checks.clear();
    added_names.clear();
    dropped_names.clear();
  }

  std::vector<EventPtr> events;  // state events
  std::vector<OneCheck> checks;
  std::vector<AddedName> added_names;
  std::vector<DroppedName> dropped_names;
  Batch* next = nullptr;
};

class BatchPool {
 public:
  BatchPool() = default;
  BatchPool(const BatchPool&) = delete;
  BatchPool& operator=(const BatchPool&) = delete;
  ~BatchPool() {
    destroy(returned_.load());
    destroy(ready_);
  }

  std::unique_ptr<Batch> take() {
    if (ready_ == nullptr) ready_ = returned_.exchange(nullptr, std::memory_order_acquire);
    if (ready_ == nullptr) return std::make_unique<Batch>();
    kept_.fetch_sub(1, std::memory_order_relaxed);
    std::unique_ptr<Batch> batch(ready_);
    ready_ = std::exchange(batch->next, nullptr);
    return batch;
  }

  // Frees large batches, and all but a few others: they come from a burst.
  void give_back(std::unique_ptr<Batch> batch) {
    batch->clear();
    const bool large = batch->events.capacity() > kLarge || batch->checks.capacity() > kLarge ||
                       batch->added_names.capacity() > kLarge || batch->dropped_names.capacity() > kLarge;
    if (large || kept_.load(std::memory_order_relaxed) >= kKept) return;
    kept_.fetch_add(1, std::memory_order_relaxed);
    batch->next = returned_.load(std::memory_order_relaxed);
    while (!returned_.compare_exchange_weak(batch->next, batch.get(), std::memory_order_release,
                                            std::memory_order_relaxed)) {
    }
    static_cast<void>(batch.release());
  }

 private:
  static constexpr std::size_t kLarge = 1024;  // entries
  static constexpr int kKept = 4;              // roughly; two threads may each add one more

  static void destroy(Batch* first) {
    while (first != nullptr) delete std::exchange(first, first->next);
  }

  std::atomic<Batch*> returned_{nullptr};
  std::atomic<int> kept_{0};
  Batch* ready_ = nullptr;  // for the control thread only
};

}  // namespace azora::events
