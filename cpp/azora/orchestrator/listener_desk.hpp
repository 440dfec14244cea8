#pragma once
// The desk over the real kernel: a thread of its own, az-listen, which starts with the first question. /proc of a large
// machine takes its time, and the control thread waits for nothing.
// Threads: ask() and stop() the control thread. Ownership: borrows the control thread's loop, which outlives it.
// Fails: a question is answered as `unverified` when the system has no thread to give.
#include <utility>

#include "azora/listeners/desk.hpp"
#include "azora/orchestrator/loop_thread.hpp"

namespace azora::orchestrator {

class ListenerDesk : public listeners::Desk {
 public:
  ListenerDesk(Loop& control, ThreadDied died) : control_(control), thread_("az-listen", std::move(died)) {}
  ~ListenerDesk() override { stop(); }

  void ask(listeners::Question question, Done done) override;
  // What is asked later is not answered.
  void stop();

 private:
  Loop& control_;
  bool stopped_ = false;
  LoopThread thread_;
};

}  // namespace azora::orchestrator
