#pragma once
// The troubles of the orchestrator itself, one per part: the link to the keeper, the store, a loop that is late, a
// thread that died. /readyz reads them. Each change becomes one event in the turn that takes it.
// Threads: set(), clear() and the questions any; take_changes() the control thread. Ownership: values. Fails: never.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azora/base/mutex.hpp"

namespace azora::orchestrator {

enum class Part : std::uint8_t { keeper, store, loop, threads };
inline constexpr std::size_t kPartCount = 4;

constexpr std::string_view wire_name(Part part) {
  constexpr std::array<std::string_view, kPartCount> names = {"keeper", "store", "loop", "threads"};
  return names[static_cast<std::size_t>(part)];
}

class Self {
 public:
  // `reason`: one line for people, never empty. If the part is already in trouble, the newer reason replaces the older
  // one, without another event.
  void set(Part part, std::string reason) {
    MutexLock lock(mutex_);
    std::string& known = reasons_[static_cast<std::size_t>(part)];
    if (known.empty()) changes_.push_back({part, reason});
    known = std::move(reason);
  }
  void clear(Part part) {
    MutexLock lock(mutex_);
    std::string& known = reasons_[static_cast<std::size_t>(part)];
    if (!known.empty()) changes_.push_back({part, {}});
    known.clear();
  }

  std::string reason(Part part) const {
    MutexLock lock(mutex_);
    return reasons_[static_cast<std::size_t>(part)];
  }
  // All troubles in one line; empty: nothing is wrong.
  std::string trouble() const {
    MutexLock lock(mutex_);
    std::string all;
    for (const std::string& reason : reasons_) {
      if (!reason.empty()) all += (all.empty() ? "" : "; ") + reason;
    }
    return all;
  }

  struct Change {
    Part part;
    std::string reason;  // empty: it recovered
  };
  // What changed since the last call, in order.
  std::vector<Change> take_changes() {
    MutexLock lock(mutex_);
    return std::exchange(changes_, {});
  }

 private:
  mutable Mutex mutex_;
  std::array<std::string, kPartCount> reasons_ AZORA_GUARDED_BY(mutex_);
  std::vector<Change> changes_ AZORA_GUARDED_BY(mutex_);
};

}  // namespace azora::orchestrator
