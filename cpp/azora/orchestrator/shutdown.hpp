#pragma once
// The state of a stop of everything: who asked for it, its deadline, the services whose last dependent may have ended,
// and whether it is the last stop, after which nothing starts. This class only keeps the state; reactions/on_stop.hpp
// acts.
// Threads: the control thread. Ownership: borrows the loop, which outlives it; keeps the callers' functions until they
// are answered. Fails: never.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "azora/base/loop.hpp"
#include "azora/base/thread_role.hpp"
#include "azora/orchestrator/stop_scope.hpp"

namespace azora::orchestrator {

class Shutdown {
 public:
  // Called once with the ids of the services that did not stop.
  using Done = std::function<void(const std::vector<std::string>& left)>;

  // `overdue` is called when the deadline has passed and the stop is still under way.
  Shutdown(Loop& loop, std::function<void()> overdue) : loop_(loop), overdue_(std::move(overdue)) {}
  ~Shutdown() { loop_.cancel(timer_); }
  Shutdown(const Shutdown&) = delete;
  Shutdown& operator=(const Shutdown&) = delete;

  bool under_way() const {
    control_thread.assert_held();
    return !callers_.empty();
  }
  // A later caller waits for the end of the same stop; the earliest deadline and the widest scope count.
  void begin(SteadyTime deadline, StopScope scope, Done done);
  StopScope scope() const {
    control_thread.assert_held();
    return scope_;
  }
  // The stop is over: returns the callers to answer.
  std::vector<Done> end();

  // The program ends: a service that stops from now on stays stopped.
  void make_last() {
    control_thread.assert_held();
    how_far_ = HowFar::last;
  }
  // From now on a stop does not wait any more: it is answered at once with the services that are left.
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

  // Ignored unless a stop is under way.
  void look_at(std::uint64_t serial);
  std::optional<std::uint64_t> take_look();

 private:
  enum class HowFar : std::uint8_t { open, last, abandoned };

  Loop& loop_;
  std::function<void()> overdue_;
  HowFar how_far_ AZORA_OF_CONTROL = HowFar::open;
  StopScope scope_ AZORA_OF_CONTROL = StopScope::all;
  std::vector<Done> callers_ AZORA_OF_CONTROL;
  SteadyTime deadline_ AZORA_OF_CONTROL{};
  TimerId timer_ AZORA_OF_CONTROL = 0;
  std::vector<std::uint64_t> looks_ AZORA_OF_CONTROL;
};

}  // namespace azora::orchestrator
