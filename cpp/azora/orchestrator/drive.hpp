#pragma once
// The only place that steps a machine. feed() applies one input and everything that follows from it: the machine's
// actions, its notices as events, status, standing and schedule. It also queues the dependents, which run_to_fixpoint()
// examines until nothing changes any more.
// Threads: the control thread. Ownership: borrows the rooms, which outlive it. Fails: never.
#include <cstdint>
#include <deque>

#include "azora/base/loop.hpp"
#include "azora/base/thread_role.hpp"
#include "azora/orchestrator/admission.hpp"
#include "azora/orchestrator/evidence.hpp"
#include "azora/orchestrator/fleet.hpp"
#include "azora/orchestrator/probing.hpp"
#include "azora/orchestrator/shutdown.hpp"
#include "azora/orchestrator/turn.hpp"

namespace azora::orchestrator {

class Drive {
 public:
  Drive(Loop& loop, Fleet& fleet, Turn& turn, Probing& probing, Admission& admission, Evidence& evidence,
        Shutdown& shutdown)
      : loop_(loop),
        fleet_(fleet),
        turn_(turn),
        probing_(probing),
        admission_(admission),
        evidence_(evidence),
        shutdown_(shutdown) {}
  Drive(const Drive&) = delete;
  Drive& operator=(const Drive&) = delete;

  void feed(ServiceState& service, const healing::Input& input) AZORA_CONTROL;
  // Publishes what the service's state now means: its status with an event, its standing, the mass brake.
  void refresh_status(ServiceState& service) AZORA_CONTROL;
  // Evaluates whether its hard dependencies are met, and feeds the machine if the answer changed.
  void evaluate_dependencies(ServiceState& service) AZORA_CONTROL;
  // The same for every service that needs what `name` stands for.
  void evaluate_dependents(std::string_view name) AZORA_CONTROL;
  // Makes the first check due at once, and starts the service if it is wanted up. Under maintenance it is only checked.
  void bring_up(ServiceState& service) AZORA_CONTROL;
  // Its dependents evaluate their dependencies again.
  void queue_dependents(const ServiceState& service) AZORA_CONTROL { changed_.push_back(service.serial); }
  // Lets all consequences happen, breadth first, until nothing changes any more.
  void run_to_fixpoint() AZORA_CONTROL;
  Now now() const AZORA_CONTROL { return turn_.now(); }
  // During a stop of all: what `spec` needs may stop now, as its service has ended or does not need it any more.
  void look_at_dependencies(const ServiceSpec& spec) AZORA_CONTROL;
  // Takes up what a former orchestrator did beside its machine: the kill permit that it holds, and the watch for a reason
  // to try a failed one again.
  void take_up(const ServiceState& service) AZORA_CONTROL;
  // Nothing of an unregistered service runs any more: the services that wait for its id are brought up.
  void finish_leaving(ServiceState& service) AZORA_CONTROL;

 private:
  std::vector<std::string> unmet(const ServiceSpec& spec) const AZORA_CONTROL;
  void take_unmet(ServiceState& service, std::vector<std::string> unmet) AZORA_CONTROL;
  void restart_along(const ServiceState& service) AZORA_CONTROL;
  void perform(ServiceState& service, const healing::Action& action) AZORA_CONTROL;
  void launch(ServiceState& service, std::uint64_t incarnation) AZORA_CONTROL;
  void entered(ServiceState& service, Lifecycle before) AZORA_CONTROL;
  void rearm(ServiceState& service) AZORA_CONTROL;

  Loop& loop_;
  Fleet& fleet_;
  Turn& turn_;
  Probing& probing_;
  Admission& admission_;
  Evidence& evidence_;
  Shutdown& shutdown_;
  std::deque<std::uint64_t> restarted_ AZORA_OF_CONTROL;  // serials: their dependents may have to restart, too
  std::deque<std::uint64_t> changed_ AZORA_OF_CONTROL;    // serials whose dependents must look again
  bool running_to_fixpoint_ AZORA_OF_CONTROL = false;
};

}  // namespace azora::orchestrator
