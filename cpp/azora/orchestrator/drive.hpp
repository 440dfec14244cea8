#pragma once
// The only place that steps a machine: feed() applies one input and does all that follows from it - the machine's
// actions, its notices as events, status, standing, schedule - and queues the dependents, which run_to_fixpoint()
// looks at until nothing moves.
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
  // Publishes what its state now means: status with its event, standing, the mass brake.
  void refresh_status(ServiceState& service) AZORA_CONTROL;
  // Are its hard dependencies met? Feeds the machine when that changed.
  void evaluate_dependencies(ServiceState& service) AZORA_CONTROL;
  // The same of every service that needs what `name` stands for.
  void evaluate_dependents(std::string_view name) AZORA_CONTROL;
  // The first check at once, and its action where it is wanted up.
  void bring_up(ServiceState& service) AZORA_CONTROL;
  // Its dependents look again.
  void queue_dependents(const ServiceState& service) AZORA_CONTROL { changed_.push_back(service.serial); }
  // Lets every consequence happen, breadth first, until nothing moves.
  void run_to_fixpoint() AZORA_CONTROL;
  Now now() const AZORA_CONTROL { return turn_.now(); }
  // Services that `spec` needs may stop now, where the whole stops: it has ended, or needs them no more.
  void look_at_dependencies(const ServiceSpec& spec) AZORA_CONTROL;
  // Nothing of an unregistered service runs any more: the services that wait for its id come up.
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
  std::deque<std::uint64_t> restarted_ AZORA_OF_CONTROL;  // serials: dependents that go along are restarted
  std::deque<std::uint64_t> changed_ AZORA_OF_CONTROL;    // serials whose dependents must look again
  bool running_to_fixpoint_ AZORA_OF_CONTROL = false;
};

}  // namespace azora::orchestrator
