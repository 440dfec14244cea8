#pragma once
// Which services are asked now, and which answers may be believed: schedule, questions of the turn, and the guard
// against our own lateness.
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

  // The service is new or has another configuration: what is asked follows it. Its mode begins paused.
  void configure(ServiceState& service) AZORA_CONTROL;
  // Puts the service where its lifecycle belongs on the schedule. A dead incarnation is never asked.
  void apply_mode(ServiceState& service) AZORA_CONTROL;
  // Due at once.
  void hurry(const ServiceState& service) AZORA_CONTROL;
  // The open probe and the kept connection go.
  void forget(const ServiceState& service) AZORA_CONTROL;
  // The service is not asked any more.
  void remove(ServiceState& service) AZORA_CONTROL;

  struct Answered {
    ServiceState* service = nullptr;  // null: the check has gone
    health::Check* check = nullptr;
    // Not an answer of a dead or former incarnation or a former configuration, nor one that was late because we were.
    bool believed = false;
  };
  // The probe of this answer is over.
  Answered take(const health::ProbeResult& result) AZORA_CONTROL;

  // Sends what fell due in this turn and sets the timer for what comes next.
  void end_turn() AZORA_CONTROL;

  struct Counts {
    Counter asked;
    Counter stale;
    Counter dropped_late;
    Counter in_flight;  // as of the last turn
    Counter stalls;     // of our own loop
  };
  const Counts& counts() const { return counts_; }
  std::uint64_t stalls() const { return guard_.stalls(); }  // any thread may read them
  // The place of its first check on the grid; nullopt: it is not asked.
  std::optional<health::Ordinal> ordinal(std::uint64_t serial) const AZORA_CONTROL {
    const ServiceState* service = fleet_.by_serial(serial);
    return service == nullptr ? std::nullopt : scheduler_.ordinal(service->checks.front().key);
  }

 private:
  // Whose check has a slot. Services keep their place in memory until remove().
  struct Owner {
    health::Serial check = 0;
    ServiceState* service = nullptr;
    std::size_t index = 0;
  };

  void ask(const std::vector<health::CheckKey>& due) AZORA_CONTROL;
  void set_owner(ServiceState& service, std::size_t index) AZORA_CONTROL;
  void drop(health::Check& check) AZORA_CONTROL;
  Owner owner_of(health::CheckKey key) const AZORA_CONTROL {
    return key.slot < owners_.size() && owners_[key.slot].check == key.serial ? owners_[key.slot] : Owner{};
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
