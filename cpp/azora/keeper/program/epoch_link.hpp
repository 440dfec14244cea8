#pragma once
// The listening end of a link whose other end may be replaced: the keeper's to the orchestrator, a shim's to the keeper.
// One connection at a time; a later one that proves its epoch replaces it, and what is of an older epoch is refused.
// Threads: the program has one. Ownership: the connections. Fails: never; a broken connection is closed when it is read,
// and the next one is waited for.
#include <cstddef>
#include <cstdint>

#include "azora/keeper/program/channel.hpp"
#include "azora/keeper/program/frame_buffer.hpp"
#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

class EpochLink {
 public:
  // `serial`: of the service that this end has, for refusals that say no other; 0: it has many.
  explicit EpochLink(std::uint64_t serial = 0) : serial_(serial) {}
  EpochLink(const EpochLink&) = delete;
  EpochLink& operator=(const EpochLink&) = delete;

  // -1: there is none.
  int fd() const { return fd_; }
  int candidate() const { return candidate_; }
  bool is_open() const { return fd_ >= 0; }
  // The highest seen.
  std::uint64_t epoch() const { return epoch_; }

  // Accepts a connection that has not sent its HELLO yet; it replaces an earlier one like that. False: none has come.
  bool accept_candidate();
  // True: it has proved to be the newest, and is the link now.
  bool read_candidate();

  // Calls on_frame(header, size) for each frame that has come, `most` at the most. The frame is in g_frame.
  template <typename OnFrame>
  void read_frames(int most, OnFrame on_frame) {
    for (int i = 0; i < most; ++i) {
      const long size = receive();
      if (size == kNothing) return;
      Header header;
      if (admit(size, &header)) on_frame(header, size);
      forget_frame(size);
    }
  }
  void refuse(const Header& header, RefusalCode code, const ServiceRef& about = {}) { refuse(fd_, header, code, about); }

 protected:
  void close();

 private:
  bool is_welcome(long size);
  bool is_fenced(int fd, const Header& header);
  long receive();
  bool admit(long size, Header* header);
  void refuse(int fd, const Header& header, RefusalCode code, const ServiceRef& about);

  const std::uint64_t serial_;
  int fd_ = -1;
  int candidate_ = -1;
  std::uint64_t epoch_ = 0;
};

}  // namespace azora::keeper
