#pragma once
// A shim's link to the keeper. One connection at a time; a later one that proves its epoch replaces it. What cannot be
// sent now is sent when there is room: nothing queues up, the record only gets newer.
// Threads: the program has one. Ownership: the connections. Fails: never; a broken connection is closed when it is read,
// and the next one is waited for.
#include <cstdint>

#include "azora/keeper/flag_set.hpp"
#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

class KeeperLink {
 public:
  // What the keeper is owed, in the order in which it is sent.
  enum class Owed : std::uint8_t { hello, record, list_end };

  // `serial` of the service, for refusals.
  explicit KeeperLink(std::uint64_t serial) : serial_(serial) {}

  // For poll; -1: there is none.
  int fd() const { return fd_; }
  int candidate() const { return candidate_; }

  // A connection that has not said who it is.
  void accept_candidate();
  // When it proves to be the newest keeper, it is the link from here on, and owed the record.
  void read_candidate();

  // The size of the next frame, which is in g_frame; kNothing when there is none, or the link has ended.
  long receive();
  // Reads the header of a frame. False: it was refused.
  bool admit(long size, Header* header);

  // What is owed stays so for the next link.
  void owe(Owed what) { owed_.add(what); }
  bool owes_any() const { return owed_.any(); }
  void send_owed(const Record& record);
  void refuse(const Header& header, RefusalCode code, std::uint64_t incarnation = 0) {
    refuse(fd_, header, code, incarnation);
  }

 private:
  bool is_welcome(long size);
  bool is_fenced(int fd, const Header& header);
  void refuse(int fd, const Header& header, RefusalCode code, std::uint64_t incarnation = 0);
  void close();

  const std::uint64_t serial_;
  int fd_ = -1;
  int candidate_ = -1;
  std::uint64_t epoch_ = 0;  // the highest seen; what is of an older one is refused
  FlagSet<Owed> owed_;
};

}  // namespace azora::keeper
