#pragma once
// What we believe about one service, from its verdicts in order: hysteresis in both directions.
// Pure: no clock, no allocation, 24 bytes. Threads: the control thread.
//
// 1. The first verdict after reset() decides alone.
// 2. Afterwards unhealthyThreshold consecutive verdicts other than `pass` change the status; the last of
//    them names it: `fail` unhealthy, `warn` degraded.
// 3. healthyThreshold consecutive passes make it healthy again.
// 4. One run of consecutive failures feeds unhealthyThreshold and restartThreshold; a warning ends it.
// 5. While starting, failures count for nothing; the first `pass` or `warn` ends the start and decides.
// 6. `none` changes nothing at all.
// 7. Failures of the run up to forgive() never feed restartThreshold: something else explained them.
#include <cstdint>
#include <optional>

#include "azora/health/judge.hpp"
#include "azora/model/health_status.hpp"
#include "azora/model/probe_spec.hpp"

namespace azora::health {

struct TrackerStep {
  std::optional<HealthStatus> change;  // the new status, when it changed
  bool restart_due = false;            // the failure run is at or past restartThreshold
  bool confirm_soon = false;           // ask again at confirm spacing instead of on the grid
  bool counted = false;                // a published check; false for `none` and for failures while starting
};

class Tracker {
 public:
  // A new registration or a new incarnation: nothing is known.
  void reset() { *this = Tracker{}; }
  // A new incarnation of ours that is not ready yet (rule 5).
  void reset_starting() {
    *this = Tracker{};
    starting_ = true;
  }
  // Found running after our own restart: keeps the last published status until the first verdict.
  void reset_adopted(HealthStatus last) {
    *this = Tracker{};
    status_ = last;
  }
  // The process exited: a fact, not a verdict. Ends the failure run; the next verdict decides alone.
  void exited() {
    const std::uint32_t errors = errors_;
    *this = Tracker{};
    errors_ = errors;
    status_ = HealthStatus::unhealthy;
  }

  void forgive() { forgiven_ = failures_; }

  TrackerStep apply(Verdict verdict, const ProbeSpec& spec);

  HealthStatus status() const { return status_; }
  bool starting() const { return starting_; }
  // Consecutive failures so far.
  int failure_run() const { return static_cast<int>(failures_); }
  // Counted failures since reset.
  std::uint32_t error_count() const { return errors_; }
  // Whether its last counted answer was no failure, and no start waits for one.
  bool answers() const { return !first_ && !starting_ && failures_ == 0; }
  // The failure run is at or past restartThreshold, not counting what was forgiven.
  bool restart_due(const ProbeSpec& spec) const;
  // Whether the next probe belongs at confirm spacing.
  bool confirming(const ProbeSpec& spec) const;

 private:
  void count(Verdict verdict);
  HealthStatus decide(Verdict verdict, const ProbeSpec& spec) const;

  std::uint32_t failures_ = 0;  // consecutive `fail`
  std::uint32_t forgiven_ = 0;  // of them
  std::uint32_t troubles_ = 0;  // consecutive `fail` or `warn`
  std::uint32_t passes_ = 0;    // consecutive `pass`
  std::uint32_t errors_ = 0;
  HealthStatus status_ = HealthStatus::unknown;
  bool first_ = true;
  bool starting_ = false;
};

}  // namespace azora::health
