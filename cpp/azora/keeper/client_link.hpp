#pragma once
// One connection to one keeper, from greeting to end: sends and receives whole frames and never waits.
// Threads: az-keeper. Ownership: the socket and one frame that found no room yet.
// Fails: broken() with words; after that nothing is sent or received any more.
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "azora/base/fd.hpp"
#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

class KeeperLink {
 public:
  KeeperLink() = default;
  // Greets, and asks for all records.
  KeeperLink(Fd socket, std::uint64_t epoch, const std::string& build_id);

  struct Frame {
    Header header;
    const std::uint8_t* data = nullptr;  // until the next receive()
    std::size_t size = 0;
  };
  // nullopt: nothing there, or broken.
  std::optional<Frame> receive();
  // Keeps the frame when there is no room for it; not to be called before can_send() again.
  void send(std::vector<std::uint8_t> frame);
  bool can_send() const { return is_open() && waiting_.empty(); }
  void flush();
  // Frames that the system does not take, whatever the room: they were not sent and never will be.
  std::vector<std::vector<std::uint8_t>> take_too_large() { return std::exchange(too_large_, {}); }

  bool is_open() const { return static_cast<bool>(socket_); }
  const std::string& broken() const { return broken_; }
  void close(std::string why);
  // What to poll for.
  int fd() const { return socket_.get(); }
  bool wants_room() const { return !waiting_.empty(); }
  std::uint64_t epoch() const { return epoch_; }
  // Descriptor of the keeper's process, known since its greeting; none: it could not be had.
  const Fd& keeper_process() const { return process_; }
  pid_t keeper_pid() const { return pid_; }
  // Its process lives and is stopped, by a signal or a debugger: it does nothing until it is continued.
  bool keeper_is_stopped() const;

 private:
  void on_hello(const Frame& frame);

  Fd socket_;
  Fd process_;
  pid_t pid_ = 0;
  std::uint64_t epoch_ = 0;
  std::vector<std::vector<std::uint8_t>> waiting_;  // the greeting, or one frame
  std::vector<std::vector<std::uint8_t>> too_large_;
  std::vector<std::uint8_t> room_;
  std::string broken_;
};

}  // namespace azora::keeper
