#pragma once
// The keeper as a process: starts the shims and carries frames between them and the orchestrator. It keeps
// the newest record of every service and nothing that a shim could not say again, so its death loses nothing.
// One epoll loop; no call in it waits. Its parts: the orchestrator (keeper_link.hpp) and what it asks
// (keeper_commands.hpp), the shims (keeper_shims.hpp), and those that died (keeper_sweep.hpp).
// SIGTERM ends it as SIGKILL would: shims and services go on.
#include "azora/keeper/program/fleet_cgroups.hpp"
#include "azora/keeper/program/fleet_records.hpp"
#include "azora/keeper/program/keeper_commands.hpp"
#include "azora/keeper/program/keeper_link.hpp"
#include "azora/keeper/program/keeper_poll.hpp"
#include "azora/keeper/program/keeper_shims.hpp"
#include "azora/keeper/program/keeper_sweep.hpp"
#include "azora/keeper/program/main.hpp"
#include "azora/keeper/program/retry_timer.hpp"

namespace azora::keeper {

class KeeperProcess {
 public:
  explicit KeeperProcess(const KeeperArguments& arguments);
  // Returns when the fleet has ended, a successor has taken over, or a durable fleet has lost its orchestrator.
  int run();

 private:
  bool is_over() const { return left_ || shims_.superseded(); }
  void turn();
  void on_event(std::uint64_t tag);
  void on_shim(std::uint64_t serial);
  void on_orchestrator_ended();
  void end_if_done();
  void remove_fleet_files();

  const bool ephemeral_;
  KeeperPoll poll_;
  RetryTimer retry_;
  const FleetCgroups cgroups_;
  FleetRecords records_;
  OrchestratorLink orchestrator_;
  ShimLinks shims_;
  LostShims lost_;
  KeeperCommands commands_;
  bool cleaned_ = false;
  bool orchestrator_ended_ = false;
  bool left_ = false;
};

}  // namespace azora::keeper
