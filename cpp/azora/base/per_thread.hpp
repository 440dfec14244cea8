#pragma once
// One State per (owner, thread). A thread's first call makes it; later calls find it in a nanosecond or two. It is
// destroyed when its thread or its owner ends, whichever is first, so no thread keeps the data of a destroyed owner.
// A new owner never finds the State of an old one: owners have serial numbers that are never reused, while an address
// may be.
// Threads: here() any thread, the State belongs to the calling thread alone; the destructor when no thread is inside
// here() or uses its State. Ownership: owner and thread share the State's slot. Fails: never.
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
  // Returns the same State if it is the one of this type that this thread used last, else null. Makes no call.
  State* last_here() const {
    Slot* slot = last_;
    return slot && slot->owner.load(std::memory_order_relaxed) == serial_ ? &*slot->state : nullptr;
  }

 private:
  struct Slot {
    std::atomic<std::uint64_t> owner{0};  // 0: the owner was destroyed
    std::optional<State> state;
  };

  // The slots of one owner in all threads, so that the owner's end can empty them.
  class Registry {
   public:
    void add(Slot* slot) {
      MutexLock lock(mutex_);
      slots_.push_back(slot);
    }
    // For a thread that has already destroyed its own slots: the owner keeps this slot until it ends.
    State& adopt(std::unique_ptr<Slot> slot) {
      MutexLock lock(mutex_);
      late_.push_back(std::move(slot));
      return *late_.back()->state;
    }
    // Called when the slot's thread ends.
    void remove(Slot* slot) {
      MutexLock lock(mutex_);
      std::erase(slots_, slot);
    }
    // Called when the owner ends. States are destroyed under the lock: a thread that ends meanwhile waits before it
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
      place.registry->remove(place.slot.get());  // waits until the owner's end() has released its lock
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
