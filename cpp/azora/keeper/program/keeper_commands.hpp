#pragma once
// What the orchestrator asks of the keeper: each frame becomes a mark on an entry, a frame to its shim, or a refusal.
// Threads: the program has one. Fails: what cannot be done is refused.
#include "azora/keeper/program/fleet_records.hpp"
#include "azora/keeper/program/keeper_link.hpp"
#include "azora/keeper/program/keeper_shims.hpp"
#include "azora/keeper/program/keeper_sweep.hpp"
#include "azora/keeper/program/text.hpp"
#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

class KeeperCommands {
 public:
  KeeperCommands(FleetRecords& records, OrchestratorLink& orchestrator, ShimLinks& shims, LostShims& lost)
      : records_(records), orchestrator_(orchestrator), shims_(shims), lost_(lost) {}

  // Carries out what has come.
  void read();
  // The fleet ends, by GOODBYE or with its orchestrator: launches are refused.
  void end() { ending_ = true; }
  bool ending() const { return ending_; }

 private:
  void on_frame(const Header& header, long size);
  void on_launch(const Header& header, long size);
  void on_ref(const Header& header, const ServiceRef& ref);
  void on_stop(const ServiceRef& ref, const StopOrder& order);
  void on_reclaim(const Record& record);
  void on_move(const Text& folder);

  FleetRecords& records_;
  OrchestratorLink& orchestrator_;
  ShimLinks& shims_;
  LostShims& lost_;
  bool ending_ = false;
};

}  // namespace azora::keeper
