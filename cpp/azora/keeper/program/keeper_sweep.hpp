#pragma once
// Shims that ended. One that was killed leaves processes below it: they are killed here, and its service is
// reported as `lost` when none of them is left. The keeper is the subreaper above its shims, so whatever a killed child
// leaves comes to it; what the shim of an earlier keeper leaves is searched for.
// Threads: the program has one. Fails: never; what still lives is tried again.
#include "azora/keeper/program/fleet_cgroups.hpp"
#include "azora/keeper/program/fleet_records.hpp"
#include "azora/keeper/program/keeper_shims.hpp"
#include "azora/keeper/program/retry_timer.hpp"
#include "azora/keeper/program/search.hpp"

namespace azora::keeper {

class LostShims {
 public:
  // `token` names the fleet in the environment of its services.
  LostShims(FleetRecords& records, ShimLinks& shims, RetryTimer& retry, const FleetCgroups& cgroups, const char* token)
      : records_(records), shims_(shims), retry_(retry), cgroups_(cgroups), token_(token) {}

  // A child of ours has ended.
  void reap();
  void on_shim_ended(ShimEntry& entry);
  // The orchestrator remembers a service whose shim died while no keeper was there to see it.
  void on_remembered(ShimEntry& entry);
  // What could not be done before, when it is time for it.
  void retry_if_due();

 private:
  void sweep();
  int kill_left_over();
  int kill_orphans_below();
  void kill_orphans_elsewhere();
  ShimEntry* lost_service_of(const Traces& traces, bool elsewhere);
  bool is_swept(const ShimEntry& entry, int unattributed);

  FleetRecords& records_;
  ShimLinks& shims_;
  RetryTimer& retry_;
  const FleetCgroups& cgroups_;
  const char* token_;
};

}  // namespace azora::keeper
