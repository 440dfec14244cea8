#pragma once
// The keeper's link to the orchestrator. One connection at a time; a later one that proves its epoch replaces it. What
// cannot be sent now is sent when there is room: nothing queues up, the answers are owed and the records only get newer.
// Threads: the program has one. Ownership: the connections. Fails: never; a broken connection is closed, and the next
// one is waited for.
#include <cstddef>
#include <cstdint>

#include "azora/keeper/flag_set.hpp"
#include "azora/keeper/program/fleet_records.hpp"
#include "azora/keeper/program/keeper_poll.hpp"
#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

class OrchestratorLink {
 public:
  // What the orchestrator is owed, in the order in which it is sent; records go between `hello` and `list_end`.
  enum class Owed : std::uint8_t { hello, list_end, pong, ended };

  explicit OrchestratorLink(KeeperPoll& poll) : poll_(poll) {}

  // A connection that has not said who it is.
  void accept_candidate();
  // True: it has proved to be the newest orchestrator, and is the link now.
  bool read_candidate();

  bool is_open() const { return fd_ >= 0; }
  // Of the orchestrator; what is of an older one is refused.
  std::uint64_t epoch() const { return epoch_; }
  // The size of the next frame, which is in g_frame; kNothing when there is none, or the link has ended.
  long receive();
  // Reads the header of a frame. False: it was refused.
  bool admit(long size, Header* header);

  void owe(Owed what) { owed_.add(what); }
  bool owes(Owed what) const { return owed_.has(what); }
  void send_owed(FleetRecords& records);
  void refuse(const Header& header, RefusalCode code, const ServiceRef& about = {}) { refuse(fd_, header, code, about); }
  // A frame at once; lost when there is no room.
  void send_now(const std::uint8_t* frame, std::size_t size);

 private:
  bool is_welcome(long size);
  bool is_fenced(int fd, const Header& header);
  void refuse(int fd, const Header& header, RefusalCode code, const ServiceRef& about);
  void close();

  KeeperPoll& poll_;
  int fd_ = -1;
  int candidate_ = -1;
  bool waits_ = false;  // for room to write
  std::uint64_t epoch_ = 0;
  FlagSet<Owed> owed_;
};

}  // namespace azora::keeper
