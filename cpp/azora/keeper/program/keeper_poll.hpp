#pragma once
// What the keeper waits at: its descriptors, each with a tag that says what it is (keeper_tags.hpp), and its signals.
// Threads: the program has one. Fails: ok() false when the system has no descriptors to give.
#include "azora/keeper/program/daemon.hpp"
#include "azora/keeper/program/keeper_tags.hpp"
#include "azora/keeper/program/sys.hpp"

namespace azora::keeper {

class KeeperPoll {
 public:
  KeeperPoll() : epoll_(sys::epoll_create()), signals_(open_signals()) { watch(signals_, tag(Source::signals)); }
  bool ok() const { return epoll_ >= 0 && signals_ >= 0; }

  // Until it is closed. `for_room`: also when there is room to write. Watched already: so from now on.
  void watch(int fd, std::uint64_t tag, bool for_room = false) {
    epoll_event event{};
    event.events = for_room ? EPOLLIN | EPOLLOUT : EPOLLIN;
    event.data.u64 = tag;
    if (sys::epoll_control(epoll_, EPOLL_CTL_MOD, fd, &event) < 0) {
      sys::epoll_control(epoll_, EPOLL_CTL_ADD, fd, &event);
    }
  }
  void unwatch(int fd) { sys::epoll_control(epoll_, EPOLL_CTL_DEL, fd, nullptr); }
  // How many events there are; -1 ms: however long it takes.
  long wait(epoll_event* events, int room, int timeout_ms) { return sys::epoll_wait(epoll_, events, room, timeout_ms); }
  Signals read() { return read_signals(signals_); }

 private:
  int epoll_;
  int signals_;
};

}  // namespace azora::keeper
