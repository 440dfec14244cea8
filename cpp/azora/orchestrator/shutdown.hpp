#pragma once
// The stop of all: who asked for it, until when, and which services are to be looked at because their last dependent
// may have ended. Only keeps that; reactions/on_stop.hpp acts.
// Threads: the control thread. Ownership: borrows the loop, which outlives it; keeps the callers' functions until they
// are answered. Fails: never.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "azora/base/loop.hpp"
#include "azora/base/thread_role.hpp"

namespace azora::orchestrator {

class Shutdown {
 public:
  // Called once with the ids that did not stop.
  using Done = std::function<void(const std::vector<std::string>& left)>;

  // `overdue` is called when the deadline passed and the stop is still under way.
  Shutdown(Loop& loop, std::function<void()> overdue) : loop_(loop), overdue_(std::move(overdue)) {}
  ~Shutdown() { loop_.cancel(timer_); }
  Shutdown(const Shutdown&) = delete;
  Shutdown& operator=(const Shutdown&) = delete;

  bool under_way() const {
    control_thread.assert_held();
    return !callers_.empty();
  }
  // A later caller waits for the same end; the earliest deadline counts.
  void begin(SteadyTime deadline, Done done);
  // It is over: answers those who asked.
  std::vector<Done> end();

  // Ignored unless under way.
  void look_at(std::uint64_t serial);
  std::optional<std::uint64_t> take_look();

 private:
  Loop& loop_;
  std::function<void()> overdue_;
  std::vector<Done> callers_ AZORA_OF_CONTROL;
  SteadyTime deadline_ AZORA_OF_CONTROL{};
  TimerId timer_ AZORA_OF_CONTROL = 0;
  std::vector<std::uint64_t> looks_ AZORA_OF_CONTROL;
};

}  // namespace azora::orchestrator
