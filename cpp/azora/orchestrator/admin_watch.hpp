#pragma once
// Drain and maintenance, as their owners ask for them, and their ends by themselves: a drain is over when its leases are
// back or when its time is over, a maintenance when its time is over. What they do to one service is in owner_changes.
// - A drain of a service with a verb in its future (stop, restart) carries that verb out at its end, unless the service
//   is under maintenance by then: it stays out of rotation instead.
// - While the orchestrator is stopped no drain ends. Leases of a former orchestrator are not known, so a drain that was
//   taken back ends by its time alone.
// - A start or restart by an operator ends both (reactions/on_command), an unregistration, too.
// The time of a maintenance is wall time, as its owner wrote it, and follows a clock that is set.
// Threads: the control thread. Ownership: borrows the rooms, which outlive it. Fails: by Result, then nothing is changed.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "azora/base/loop.hpp"
#include "azora/base/result.hpp"
#include "azora/base/thread_role.hpp"
#include "azora/orchestrator/commits.hpp"
#include "azora/orchestrator/drive.hpp"
#include "azora/orchestrator/verbs.hpp"

namespace azora::orchestrator {

class AdminWatch {
 public:
  static constexpr Millis kLook{50};              // between two looks at the leases of drains
  static constexpr Millis kLongestSleep{60'000};  // the wall clock may be set meanwhile
  static constexpr std::size_t kMostReason = 1'000;

  struct Rooms {
    Loop& loop;
    Fleet& fleet;
    Turn& turn;
    Verbs& verbs;
    Drive& drive;
    const Commits& commits;
  };
  explicit AdminWatch(Rooms rooms) : rooms_(rooms) {}
  AdminWatch(const AdminWatch&) = delete;
  AdminWatch& operator=(const AdminWatch&) = delete;

  // For a service, or for all instances of an entry. `affected` of the answer has the ids that changed.
  Result<VerbAnswer> drain(std::string_view name, const DrainWish& wish, EventActor actor);
  Result<VerbAnswer> undrain(std::string_view name, EventActor actor);
  Result<VerbAnswer> maintain(std::string_view name, const MaintenanceWish& wish, EventActor actor);
  Result<VerbAnswer> end_maintenance(std::string_view name, EventActor actor);
  // The fleet of a former orchestrator was taken back: its drains and maintenances go on.
  void restored() AZORA_CONTROL;

 private:
  struct Draining {
    SteadyTime first_look;  // a pick that chose it before takes its lease before this
    SteadyTime deadline;
    bool blind = false;     // the leases are not known
  };
  void look() AZORA_CONTROL;
  void look_at_drains() AZORA_CONTROL;
  void look_at_maintenance() AZORA_CONTROL;
  void end_drain(ServiceState& service, bool in_time) AZORA_CONTROL;
  void arm() AZORA_CONTROL;
  template <typename Change>
  Result<VerbAnswer> change(std::string_view name, EventActor actor, const Change& change) AZORA_CONTROL;

  const Rooms rooms_;
  std::map<std::uint64_t, Draining> draining_ AZORA_OF_CONTROL;  // under way, by serial
  std::set<std::uint64_t> expiring_ AZORA_OF_CONTROL;            // under maintenance that ends by itself
  TimerId timer_ AZORA_OF_CONTROL = 0;
};

}  // namespace azora::orchestrator
