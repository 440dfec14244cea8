#pragma once
// One State per (owner, thread), made at a thread's first call and found again in a nanosecond or
// two. It is destroyed when its thread ends or its owner does, whichever is first: no thread keeps the
// data of an owner that was destroyed, and a new owner never finds an old one's (owners have serial
// numbers that are never reused, while an address may be). Threads: here() any thread, the State belongs to the
// calling thread alone; the destructor when no thread is inside here() or uses its State.
// Ownership: owner and thread share the State's slot. Fails: never.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "azora/base/mutex.hpp"

namespace azora {

template <typename State>
class PerThread {
 public:
  PerThread() : registry_(std::make_shared<Registry>()) {}
  ~PerThread() { registry_->end(); }
  PerThread(const PerThread&) = delete;
  PerThread& operator=(const PerThread&) = delete;

  // The calling thread's own. The reference lives as long as this object and the thread.
  State& here() const {
    State* known = last_here();
    if (known) [[likely]] return *known;
    return find_or_make();
  }
  // The same when it was this thread's last one of such a State, else null: without any call.
  State* last_here() const {
    Slot* slot = last_;
    return slot && slot->owner.load(std::memory_order_relaxed) == serial_ ? &*slot->state : nullptr;
  }

 private:
  struct Slot {
    std::atomic<std::uint64_t> owner{0};  // 0: the owner was destroyed
    std::optional<State> state;
  };

  // The slots of one owner, so that its end reaches those of every thread.
  class Registry {
   public:
    void add(Slot* slot) {
      MutexLock lock(mutex_);
      slots_.push_back(slot);
    }
    // For a thread whose own places were destroyed already: kept until the owner ends.
    State& adopt(std::unique_ptr<Slot> slot) {
      MutexLock lock(mutex_);
      late_.push_back(std::move(slot));
      return *late_.back()->state;
    }
    // The slot's thread ends.
    void remove(Slot* slot) {
      MutexLock lock(mutex_);
      std::erase(slots_, slot);
    }
    // The owner ends. States die under the lock: a thread that ends meanwhile waits before it
    // frees the slot.
    void end() {
      MutexLock lock(mutex_);
      for (Slot* slot : slots_) {
        slot->owner.store(0, std::memory_order_relaxed);
        slot->state.reset();
      }
      slots_.clear();
      late_.clear();
    }

   private:
    Mutex mutex_;
    std::vector<Slot*> slots_ AZORA_GUARDED_BY(mutex_);
    std::vector<std::unique_ptr<Slot>> late_ AZORA_GUARDED_BY(mutex_);
  };

  // The slots of one thread.
  struct Thread {
    struct Place {
      std::unique_ptr<Slot> slot;
      std::shared_ptr<Registry> registry;
    };
    std::vector<Place> places;
    ~Thread() {
      last_ = nullptr;
      ended_ = true;
      for (const Place& place : places) place.registry->remove(place.slot.get());
    }
  };

  static std::uint64_t next_serial() {
    static std::atomic<std::uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  std::unique_ptr<Slot> make_slot() const {
    auto slot = std::make_unique<Slot>();
    slot->owner.store(serial_, std::memory_order_relaxed);
    slot->state.emplace();
    return slot;
  }

  [[gnu::noinline]] State& find_or_make() const {
    if (ended_) return registry_->adopt(make_slot());
    static thread_local Thread thread;
    auto& places = thread.places;
    std::erase_if(places, [](const typename Thread::Place& place) {
      if (place.slot->owner.load(std::memory_order_relaxed) != 0) return false;
      place.registry->remove(place.slot.get());  // waits for the owner's end() to have let go
      return true;
    });
    const auto known = std::find_if(places.begin(), places.end(), [this](const auto& place) {
      return place.slot->owner.load(std::memory_order_relaxed) == serial_;
    });
    if (known != places.end()) {
      last_ = known->slot.get();
      return *last_->state;
    }
    std::unique_ptr<Slot> slot = make_slot();
    registry_->add(slot.get());
    last_ = slot.get();
    places.push_back({std::move(slot), registry_});
    return *last_->state;
  }

  // Trivial, so that the fast path needs no guard and may run while the thread's objects end.
  static inline constinit thread_local Slot* last_ = nullptr;
  static inline constinit thread_local bool ended_ = false;  // the thread's places were destroyed

  const std::uint64_t serial_ = next_serial();
  std::shared_ptr<Registry> registry_;
};

}  // namespace azora
