#pragma once
// One machine while one input is applied to it: the workings behind step(). Inputs are in step.cpp, those that report
// of an incarnation in reports.cpp, what leads to a start in start.cpp, what follows an end in end.cpp.
// Threads: the caller's. Ownership: borrows machine and plan for one step. Fails: never.
#include <optional>

#include "azora/healing/machine.hpp"

namespace azora::healing {

inline constexpr Millis kAliveIsReady{1'000};      // a service without checks is ready after this
inline constexpr Millis kEvidenceSpacing{30'000};  // between two evidence tries out of FAILED
inline constexpr std::chrono::hours kFlapWindow{1};

class Stepper {
 public:
  Stepper(Machine& machine, const Plan& plan, SteadyTime now) : m_(machine), plan_(plan), now_(now) {}
  Step apply(const Input& input);

 private:
  // step.cpp: one function per input
  void watch(const Input& input);
  void apply_current(const Input& input);
  void desire(Desired desired, Cause cause);
  void desire_hold();
  void desire_down(Cause cause);
  void operator_restart();
  void restart_along();
  void deps(bool ok);
  void admitted();
  void slot_expired();
  void passed(bool healthy, bool first);
  void faltered(bool down);
  void liveness_failed();
  void permitted();
  void timer();
  void start_timed_out();
  void adoption_timed_out();
  void evidence();
  void plan_changed(bool new_budget);
  void limit_stop();
  void checks_anew();

  // reports.cpp
  void launched();
  void launch_failed();
  void exited(bool ok, Cause cause);
  void lost(bool never_ran);
  void returned_late(bool ok);
  void adopted(std::uint64_t incarnation, bool well);

  // start.cpp
  void enter(Lifecycle state, std::optional<SteadyTime> deadline = std::nullopt);
  void gate();
  void consider();
  void fresh_start(Cause cause);
  void planned_start(Cause cause);
  void count_restart();
  void begin_start_clock();
  void restart_start_clock();
  bool alive_is_ready() const;
  SteadyTime start_deadline() const;
  void become_ready(bool healthy);
  void come_back();
  void forget_episode();
  void end_episode();
  void close_episode();
  void watch_stability(bool healthy);
  Millis stable_after() const;
  void drop_permit_request();

  // end.cpp
  void stop(Cause cause);
  void blame(Cause cause);
  void mark_down();
  void end_our_kill();
  void sweep();
  void ended();
  bool is_end_of_job() const;
  void finish_job();
  void fail();
  Millis least_delay();
  void spend();
  void hasten();
  void give_up();
  void half_open();
  void plan_retry();
  void prune_restarts();
  bool retries() const;

  bool owned() const { return plan_.owned(); }
  bool in(Lifecycle state) const { return m_.lifecycle == state; }
  bool running() const { return in(Lifecycle::starting) || in(Lifecycle::ready) || in(Lifecycle::adopt); }
  bool ending() const {
    return in(Lifecycle::stopping) || in(Lifecycle::killing) || in(Lifecycle::stuck) || in(Lifecycle::sweep);
  }
  bool hands_off() const { return m_.desired == Desired::hold; }
  void act(Action::Kind kind) { step_.actions.push_back({kind, m_.incarnation}); }
  void notice(Notice::Kind kind, Cause cause, int attempt = 0, std::int64_t downtime_ms = 0) {
    step_.notices.push_back({kind, cause, attempt, downtime_ms});
  }

  Machine& m_;
  const Plan& plan_;
  SteadyTime now_;
  Step step_;
};

}  // namespace azora::healing
