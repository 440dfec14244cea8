#pragma once
// Decides which services are asked now and which answers may be believed: the schedule, the questions of the turn, and
// the guard against our own lateness.
// Threads: the control thread. Ownership: borrows prober, fleet and turn, which outlive it. Fails: never.
#include <cstdint>
#include <vector>

#include "azora/base/counter.hpp"
#include "azora/base/loop.hpp"
#include "azora/base/thread_role.hpp"
#include "azora/health/probe_timer.hpp"
#include "azora/health/prober.hpp"
#include "azora/orchestrator/fleet.hpp"
#include "azora/orchestrator/turn.hpp"

namespace azora::orchestrator {

class Probing {
 public:
  Probing(Loop& loop, health::Prober& prober, Fleet& fleet, Turn& turn, std::size_t fd_limit);

  // The service is new or has another configuration, so its checks change. Each check begins in mode paused. A new
  // service is given the `place` on the grid that it had before a restart of the orchestrator.
  void configure(ServiceState& service, std::optional<health::Ordinal> place = std::nullopt) AZORA_CONTROL;
  // Gives the checks of the service the mode that fits its lifecycle. A dead incarnation is never asked.
  void apply_mode(ServiceState& service) AZORA_CONTROL;
  // Makes the checks of the service due at once.
  void hurry(const ServiceState& service) AZORA_CONTROL;
  // Ends the open probe and closes the kept connection.
  void forget(const ServiceState& service) AZORA_CONTROL;
  // Stops asking the service.
  void remove(ServiceState& service) AZORA_CONTROL;

  struct Answered {
    ServiceState* service = nullptr;  // null: the check has gone
    health::Check* check = nullptr;
    // False: it is about a dead or former incarnation or a former configuration, or it was late because we were.
    bool believed = false;
  };
  // The probe that gave this answer is over.
  Answered take(const health::ProbeResult& result) AZORA_CONTROL;

  // Sends the checks that fell due in this turn, and sets the timer for the next ones.
  void end_turn() AZORA_CONTROL;

  struct Counts {
    Counter asked;
    Counter stale;
    Counter dropped_late;
    Counter in_flight;  // as counted at the end of the last turn
    Counter stalls;     // how often our own loop was late
  };
  const Counts& counts() const { return counts_; }
  std::uint64_t stalls() const { return guard_.stalls(); }  // any thread may read them
  // The place of its first check on the grid; nullopt: the service is not asked.
  std::optional<health::Ordinal> ordinal(std::uint64_t serial) const AZORA_CONTROL {
    const ServiceState* service = fleet_.by_serial(serial);
    return service == nullptr ? std::nullopt : scheduler_.ordinal(service->checks.front().key);
  }

 private:
  // The service and check that a slot belongs to. Services keep their place in memory until remove().
  struct Owner {
    ServiceState* service = nullptr;
    std::size_t index = 0;
  };

  void ask(const std::vector<health::CheckKey>& due) AZORA_CONTROL;
  void set_owner(ServiceState& service, std::size_t index) AZORA_CONTROL;
  void drop(health::Check& check) AZORA_CONTROL;
  Owner owner_of(health::CheckKey key) const AZORA_CONTROL {
    if (key.slot >= owners_.size()) return {};
    const Owner& owner = owners_[key.slot];
    return owner.service != nullptr && owner.service->checks[owner.index].key.serial == key.serial ? owner : Owner{};
  }

  health::Prober& prober_;
  Fleet& fleet_;
  Turn& turn_;
  health::Scheduler scheduler_ AZORA_OF_CONTROL;
  health::LatenessGuard guard_;
  health::ProbeTimer timer_ AZORA_OF_CONTROL;
  std::vector<Owner> owners_ AZORA_OF_CONTROL;  // by slot
  std::vector<health::ProbeRequest> asks_ AZORA_OF_CONTROL;
  Counts counts_;
};

}  // namespace azora::orchestrator
