#pragma once
// A shim's link to the keeper. What cannot be sent now is sent when there is room: nothing queues up, the record only
// gets newer.
// Threads: the program has one. Fails: never; a broken connection is closed when it is read, and the next one is waited
// for.
#include <cstdint>

#include "azora/keeper/flag_set.hpp"
#include "azora/keeper/program/epoch_link.hpp"
#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

class KeeperLink : public EpochLink {
 public:
  // What the keeper is owed, in the order in which it is sent.
  enum class Owed : std::uint8_t { hello, record, list_end };

  explicit KeeperLink(std::uint64_t serial) : EpochLink(serial) {}

  // The next link is owed the record.
  void read_candidate();

  // What is owed stays so for the next link.
  void owe(Owed what) { owed_.add(what); }
  bool owes_any() const { return owed_.any(); }
  void send_owed(const Record& record);

 private:
  FlagSet<Owed> owed_;
};

}  // namespace azora::keeper
