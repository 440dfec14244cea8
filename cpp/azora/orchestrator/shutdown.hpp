#pragma once
// The stop of all: who asked for it, until when, which services are to be looked at because their last dependent may
// have ended, and whether it is the last one, behind which nothing starts. Only keeps that; reactions/on_stop.hpp acts.
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

  // The program ends: what is stopped from here on stays stopped.
  void make_last() {
    control_thread.assert_held();
    how_far_ = HowFar::last;
  }
  // And nothing is waited for any more: a stop that is asked for now is answered with what is left.
  void abandon() {
    control_thread.assert_held();
    how_far_ = HowFar::abandoned;
  }
  bool is_last() const {
    control_thread.assert_held();
    return how_far_ != HowFar::open;
  }
  bool is_abandoned() const {
    control_thread.assert_held();
    return how_far_ == HowFar::abandoned;
  }

  // Ignored unless under way.
  void look_at(std::uint64_t serial);
  std::optional<std::uint64_t> take_look();

 private:
  enum class HowFar : std::uint8_t { open, last, abandoned };

  Loop& loop_;
  std::function<void()> overdue_;
  HowFar how_far_ AZORA_OF_CONTROL = HowFar::open;
  std::vector<Done> callers_ AZORA_OF_CONTROL;
  SteadyTime deadline_ AZORA_OF_CONTROL{};
  TimerId timer_ AZORA_OF_CONTROL = 0;
  std::vector<std::uint64_t> looks_ AZORA_OF_CONTROL;
};

}  // namespace azora::orchestrator
