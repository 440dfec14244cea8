#pragma once
// The keeper's side of the links to its shims: starts them, finds those that are there already, and carries frames to
// and from them. Towards a shim nothing queues up: what is to be sent is marked, and sent when there is room.
// Threads: the program has one. Ownership: the links, which are in the table.
// Fails: a shim that cannot be started is a record; one that cannot be reached now is tried again.
#include <cstddef>
#include <cstdint>

#include "azora/keeper/program/fleet_cgroups.hpp"
#include "azora/keeper/program/fleet_records.hpp"
#include "azora/keeper/program/keeper_link.hpp"
#include "azora/keeper/program/keeper_poll.hpp"
#include "azora/keeper/program/retry_timer.hpp"
#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

class ShimLinks {
 public:
  // `ephemeral`: shims end with the orchestrator.
  ShimLinks(KeeperPoll& poll, FleetRecords& records, OrchestratorLink& orchestrator, RetryTimer& retry,
            const FleetCgroups& cgroups, bool ephemeral)
      : poll_(poll), records_(records), orchestrator_(orchestrator), retry_(retry), cgroups_(cgroups),
        ephemeral_(ephemeral) {}

  // Shims of a keeper that was here before. Once, when the epoch is known that they ask for.
  void attach_existing();
  // False: no process listens there any more.
  bool attach(ShimEntry& entry);
  // `frame` is in g_frame, `size` bytes.
  void launch(ShimEntry& entry, const Header& header, const LaunchFrame& frame, long size);

  // What came from a shim. False: it has ended, and was not our child.
  [[nodiscard]] bool read(ShimEntry& entry);
  // All it said before it ended; its link is dropped.
  void hear_last(ShimEntry& entry);
  // What is marked in `to_send`, as far as there is room.
  void send(ShimEntry& entry);
  void send(ShimEntry& entry, ToShim what) {
    entry.to_send.set(what, entry.has_shim);
    send(entry);
  }
  void send_to_all(ToShim what);
  // The service is forgotten.
  void release(ShimEntry& entry);

  // A shim has heard of a newer keeper: this one has nothing more to do here.
  bool superseded() const { return superseded_; }

 private:
  enum class Heard { some, all, ended };
  Heard hear(ShimEntry& entry);
  long start_shim(ShimEntry& entry, const char* id);
  void on_frame(ShimEntry& entry, const Header& header, long size);
  void on_refused(ShimEntry& entry, const Refusal& refusal, std::size_t size);
  void drop_link(ShimEntry& entry);

  KeeperPoll& poll_;
  FleetRecords& records_;
  OrchestratorLink& orchestrator_;
  RetryTimer& retry_;
  const FleetCgroups& cgroups_;
  const bool ephemeral_;
  bool attached_ = false;
  bool superseded_ = false;
};

}  // namespace azora::keeper
