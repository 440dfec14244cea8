#pragma once
// What the ledger notes of one service: what was asked, the newest record, what is owed to the keeper and what was
// reported; and the frames about it that follow from that alone.
// Threads: az-keeper. Ownership: values only. Fails: never.
#include <cstdint>
#include <optional>
#include <vector>

#include "azora/keeper/client_report.hpp"
#include "azora/keeper/flag_set.hpp"
#include "azora/keeper/launch_frame.hpp"
#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

struct LedgerEntry {
  // What is to be sent to the keeper about a service, in the order in which it makes sense.
  enum class Owed : std::uint8_t { ack, launch, reclaim, stop, kill };
  // What was reported of its current incarnation. `end`: swept or lost, nothing more follows.
  enum class Reported : std::uint8_t { started, exited, end };
  enum class Fact : std::uint8_t {
    launch_sent,    // to any keeper
    launch_unsure,  // it may have died with the keeper it was sent to
    adopting,       // on_adopted is still to come
    listed,         // since the link is up
    shim_silent,    // it has a shim that has not said yet what it runs: everything else waits
    queued,         // in the ledger's queue
    kill_wanted,
    acknowledged,
  };

  LaunchRequest launch;  // to send again, and for the message of a failure
  Record record;         // the newest of this incarnation; phase idle: none yet
  FlagSet<Owed> owed;
  FlagSet<Reported> reported;
  FlagSet<Fact> facts;
  std::optional<StopOrder> stop_wanted;
  LogLoss reported_loss;               // of its log

  bool has_ended() const { return reported.has(Reported::end); }
  bool has_record() const { return record.phase != Phase::idle; }
  ServiceRef ref() const { return {.serial = launch.serial, .incarnation = launch.incarnation}; }
  // How its main process ended, by its record.
  Exit exit() const;
  // The frames about it: ACK or KILL; STOP as it was ordered; RECLAIM with the record that we know.
  std::vector<std::uint8_t> ref_frame(FrameType type, std::uint64_t epoch) const;
  std::vector<std::uint8_t> stop_frame(std::uint64_t epoch) const;
  std::vector<std::uint8_t> reclaim_frame(std::uint64_t epoch) const;
};

}  // namespace azora::keeper
