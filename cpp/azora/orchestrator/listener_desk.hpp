#pragma once
// The desk over the real kernel. It has a thread of its own, az-listen, which starts with the first question. Reading
// /proc of a large machine takes time, and the control thread must not wait for it. What a search of all processes has
// found is kept for 10 s after its last use.
// Threads: ask(), find_changed() and stop() the control thread. Ownership: borrows the control thread's loop, which
// outlives it. Fails: if the system cannot start a thread, each question is answered as `unverified`.
#include <utility>
#include <vector>

#include "azora/listeners/desk.hpp"
#include "azora/listeners/socket_holders.hpp"
#include "azora/orchestrator/loop_thread.hpp"

namespace azora::orchestrator {

class ListenerDesk : public listeners::Desk {
 public:
  ListenerDesk(Loop& control, ThreadDied died) : control_(control), thread_("az-listen", std::move(died)) {}
  ~ListenerDesk() override { stop(); }

  void ask(listeners::Question question, Done done) override;
  void find_changed(std::vector<listeners::Seen> seen, Changed done) override;
  // Questions asked after this are not answered.
  void stop();

 private:
  void forget_later();

  Loop& control_;
  bool stopped_ = false;
  listeners::SocketHolders holders_;  // az-listen's, as is the rest
  SteadyTime used_{};
  bool forgets_ = false;  // a timer is set for it
  LoopThread thread_;
};

}  // namespace azora::orchestrator
