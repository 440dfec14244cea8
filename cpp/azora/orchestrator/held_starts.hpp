#pragma once
// Which services have a start that waits for the store, and since when. `why` shows this.
// Threads: any. Ownership: values. Fails: never.
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "azora/base/loop.hpp"
#include "azora/base/mutex.hpp"

namespace azora::orchestrator {

class HeldStarts {
 public:
  void add(std::uint64_t serial, SteadyTime now) {
    MutexLock lock(mutex_);
    since_.emplace(serial, now);
  }
  void remove(std::uint64_t serial) {
    MutexLock lock(mutex_);
    since_.erase(serial);
  }
  // nullopt: no start of this service waits.
  std::optional<SteadyTime> since(std::uint64_t serial) const {
    MutexLock lock(mutex_);
    const auto found = since_.find(serial);
    return found == since_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  mutable Mutex mutex_;
  std::unordered_map<std::uint64_t, SteadyTime> since_ AZORA_GUARDED_BY(mutex_);  // by serial
};

}  // namespace azora::orchestrator
