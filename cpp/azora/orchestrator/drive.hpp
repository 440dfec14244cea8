#pragma once
// The only place that steps a machine: feed() applies one input and does all that follows from it - the machine's
// actions, its notices as events, status, standing, schedule - and queues the dependents, which run_to_fixpoint()
// looks at until nothing moves.
// Threads: the control thread. Ownership: borrows the rooms, which outlive it. Fails: never.
#include <cstdint>
#include <deque>

#include "azora/base/loop.hpp"
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

  void feed(ServiceState& service, const healing::Input& input);
  // Publishes what its state now means: status with its event, standing, the mass brake.
  void refresh_status(ServiceState& service);
  // Are its hard dependencies met? Feeds the machine when that changed.
  void evaluate_dependencies(ServiceState& service);
  // The same of every service that needs what `name` stands for.
  void evaluate_dependents(std::string_view name);
  // The first check at once, and its action where it is wanted up.
  void bring_up(ServiceState& service);
  // Its dependents look again.
  void queue_dependents(const ServiceState& service) { changed_.push_back(service.serial); }
  // Lets every consequence happen, breadth first, until nothing moves.
  void run_to_fixpoint();
  Now now() const { return turn_.now(); }
  // Services that `spec` needs may stop now, where the whole stops: it has ended, or needs them no more.
  void look_at_dependencies(const ServiceSpec& spec);
  // Nothing of an unregistered service runs any more: the services that wait for its id come up.
  void finish_leaving(ServiceState& service);

 private:
  std::vector<std::string> unmet(const ServiceSpec& spec) const;
  void take_unmet(ServiceState& service, std::vector<std::string> unmet);
  void restart_along(const ServiceState& service);
  void perform(ServiceState& service, const healing::Action& action);
  void launch(ServiceState& service, std::uint64_t incarnation);
  void entered(ServiceState& service, Lifecycle before);
  void rearm(ServiceState& service);

  Loop& loop_;
  Fleet& fleet_;
  Turn& turn_;
  Probing& probing_;
  Admission& admission_;
  Evidence& evidence_;
  Shutdown& shutdown_;
  std::deque<std::uint64_t> restarted_;  // serials: dependents that go along are restarted
  std::deque<std::uint64_t> changed_;    // serials whose dependents must look again
  bool running_to_fixpoint_ = false;
};

}  // namespace azora::orchestrator
