#pragma once
// Notices that other sockets listen on the port of a service than when the kernel was asked whose they are (R52): a
// listener changes hands without a failed check. While there is such a service, the kernel is asked every 5 s for one
// list of all sockets that listen, however many services there are; less often (up to once a minute) where that takes
// the kernel more than 0.1 s. With nothing to watch no timer is set.
// Threads: the control thread. Ownership: borrows the loop and the desk, which outlive it. Fails: never; if the desk is
// silent, nothing is noticed.
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "azora/base/loop.hpp"
#include "azora/base/thread_role.hpp"
#include "azora/listeners/desk.hpp"

namespace azora::orchestrator {

class ListenerWatch {
 public:
  // `wanted`: whether it is still of interest what listens for this serial. `changed` is called once; who wants to hear
  // of the next change calls watch() again.
  ListenerWatch(Loop& loop, std::function<bool(std::uint64_t)> wanted, std::function<void(std::uint64_t)> changed)
      : loop_(loop), wanted_(std::move(wanted)), changed_(std::move(changed)) {}
  ~ListenerWatch() { loop_.cancel(timer_); }
  ListenerWatch(const ListenerWatch&) = delete;
  ListenerWatch& operator=(const ListenerWatch&) = delete;

  void set_desk(listeners::Desk& desk) AZORA_CONTROL { desk_ = &desk; }
  // Replaces what was said of this serial before.
  void watch(const listeners::Seen& seen) AZORA_CONTROL;

 private:
  void set_timer(Nanos span) AZORA_CONTROL;
  void look() AZORA_CONTROL;
  void on_changes(const std::vector<listeners::Seen>& others, Nanos took) AZORA_CONTROL;

  Loop& loop_;
  std::function<bool(std::uint64_t)> wanted_;
  std::function<void(std::uint64_t)> changed_;
  listeners::Desk* desk_ AZORA_OF_CONTROL = nullptr;
  std::unordered_map<std::uint64_t, listeners::Seen> seen_ AZORA_OF_CONTROL;  // by serial
  TimerId timer_ AZORA_OF_CONTROL = 0;
  bool looking_ AZORA_OF_CONTROL = false;
};

}  // namespace azora::orchestrator
