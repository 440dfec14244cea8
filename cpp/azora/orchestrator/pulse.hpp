#pragma once
// Tells readers whether a loop still runs: a reader posts a question to the loop, and the next reader sees whether it
// was answered. Costs nothing without a reader.
// Threads: any. Ownership: the posted task refers to this object, which outlives the loop's tasks. Fails: never.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

#include "azora/base/loop.hpp"

namespace azora::orchestrator {

class Pulse {
 public:
  // How long a question has been open on the loop, if that is too long; nullopt: as far as is known, the loop runs.
  // `post` runs a task on the loop.
  template <typename Post>
  std::optional<Nanos> check(SteadyTime now, const Post& post) {
    std::int64_t asked = 0;
    const std::int64_t at = now.time_since_epoch().count();
    if (asked_ns_.compare_exchange_strong(asked, at)) {
      post([this] { asked_ns_.store(0); });
      return std::nullopt;
    }
    const Nanos open(at - asked);
    return open > kPatience ? std::optional(open) : std::nullopt;
  }

 private:
  static constexpr Nanos kPatience = std::chrono::seconds(1);

  std::atomic<std::int64_t> asked_ns_{0};  // 0: no question is open
};

}  // namespace azora::orchestrator
