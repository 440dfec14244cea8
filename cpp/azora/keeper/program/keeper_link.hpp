#pragma once
// The keeper's link to the orchestrator. What cannot be sent now is sent when there is room: nothing queues up, the
// answers are owed and the records only get newer.
// Threads: the program has one. Fails: never; a broken connection is closed, and the next one is waited for.
#include <cstddef>
#include <cstdint>

#include "azora/keeper/flag_set.hpp"
#include "azora/keeper/program/epoch_link.hpp"
#include "azora/keeper/program/fleet_records.hpp"
#include "azora/keeper/program/keeper_poll.hpp"
#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

class OrchestratorLink : public EpochLink {
 public:
  // What the orchestrator is owed, in the order in which it is sent; records go between `hello` and `list_end`.
  enum class Owed : std::uint8_t { hello, list_end, pong, ended };

  explicit OrchestratorLink(KeeperPoll& poll) : poll_(poll) {}

  void accept_candidate();
  bool read_candidate();

  // That the fleet has ended is owed to the next link, too; the rest ends with this one.
  void owe(Owed what) { owed_.add(what); }
  bool owes(Owed what) const { return owed_.has(what); }
  void send_owed(FleetRecords& records);
  // A frame at once; lost when there is no room.
  void send_now(const std::uint8_t* frame, std::size_t size);

 private:
  KeeperPoll& poll_;
  bool waits_ = false;  // for room to write
  FlagSet<Owed> owed_;
};

}  // namespace azora::keeper
