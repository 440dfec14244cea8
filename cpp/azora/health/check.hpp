#pragma once
// The unit of health: one check of a service, with its name, its role, what is asked, what we believe from its answers,
// and where it stands on the schedule. A service has a list of them; combine() says what they mean together.
// Threads: the control thread (combine() is pure). Ownership: a check belongs to its service. Fails: never.
#include <cstdint>
#include <memory>
#include <span>

#include "azora/base/time.hpp"
#include "azora/health/check_key.hpp"
#include "azora/health/scheduler.hpp"
#include "azora/health/tracker.hpp"

namespace azora::health {

enum class Role : std::uint8_t {
  all,        // one check for everything
  startup,    // has the service started? The others say nothing before
  liveness,   // must it be restarted?
  readiness,  // may it be used?
};

struct Check {
  CheckKey key;                               // no slot: nothing is asked
  std::shared_ptr<const ProbeTarget> target;  // null: nothing to ask, the living process is the answer
  Tracker tracker;
  SteadyTime begun{};                         // when the open probe was sent
  Role role = Role::all;
  Mode mode = Mode::paused;                   // as set on the schedule
};

// What one check says at this moment.
struct Opinion {
  Role role = Role::all;
  HealthStatus status = HealthStatus::unknown;
  bool answers = false;      // its last answer was no failure, and its start is over
  bool restart_due = false;  // it failed restartThreshold times in a row
};

// What they all mean for the service.
struct Combined {
  HealthStatus status = HealthStatus::healthy;
  bool restart_due = false;
  bool ready = true;  // a start is over
  friend bool operator==(const Combined&, const Combined&) = default;
};

// 1. Until every startup check answers, the service is `unknown`, not ready, and not restarted for a check.
// 2. It is ready when every startup, readiness and all-purpose check answers; liveness is not waited for.
// 3. Liveness and all-purpose checks ask for a restart, each by itself.
// 4. Its status is the worst that any check except the startup ones says: unhealthy, unknown, degraded, healthy.
// 5. A service without a check is healthy and ready: its process alone says how it is.
Combined combine(std::span<const Opinion> opinions);
Combined combine(std::span<const Check> checks, const ProbeSpec& probe);

}  // namespace azora::health
