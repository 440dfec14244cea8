#pragma once
// Whether a keeper still works: it is asked every second, and anything it says is an answer.
// Silence alone proves nothing on a machine that is busy: a keeper that waits for a processor, for memory or for a disk
// is silent for as long as that takes, and it is given `patience`. A keeper that the kernel calls stopped (SIGSTOP, a
// debugger) cannot answer, however idle the machine is: after `glance` without an answer its state is looked at.
// When we ourselves did not look for long (stopped, starved), that span does not count. The caller passes the time.
// Threads: az-keeper. Fails: never.
#include <algorithm>

#include "azora/base/time.hpp"

namespace azora::keeper {

class Heartbeat {
 public:
  Heartbeat(Millis every, Millis glance, Millis patience) : every_(every), glance_(glance), patience_(patience) {}

  void begin(SteadyTime now) {
    ask_at_ = now + every_;
    asked_ = false;
    looked_at_ = now;
  }
  void answered() { asked_ = false; }
  // True: a question is to be sent now.
  bool should_ask(SteadyTime now) {
    if (asked_ || now < ask_at_) return false;
    asked_ = true;
    looked_at_ = now;
    wait_from(now);
    ask_at_ = now + every_;
    return true;
  }
  // Asks at once, and waits no longer than that for the answer.
  void hurry(SteadyTime now, Millis patience) {
    patience_ = std::min(patience_, patience);
    glance_ = std::min(glance_, patience);
    looked_at_ = now;
    ask_at_ = std::min(ask_at_, now);
    if (!asked_) return;
    silent_until_ = std::min(silent_until_, now + patience_);
    glance_at_ = std::min(glance_at_, now + glance_);
  }
  // Call after all that the keeper said was read. True: it has not answered in time.
  bool is_silent(SteadyTime now) {
    const bool we_were_away = now - looked_at_ > every_ + patience_;
    looked_at_ = now;
    if (asked_ && we_were_away) wait_from(now);
    return asked_ && now >= silent_until_;
  }
  // True: it has not answered for a moment, so its state is to be looked at. True again after the same time.
  bool should_glance(SteadyTime now) {
    if (!asked_ || now < glance_at_) return false;
    glance_at_ = now + glance_;
    return true;
  }
  // It is silent since then.
  Millis silence(SteadyTime now) const { return asked_ ? to_millis(now - asked_at_) : Millis{0}; }
  // When to look again.
  SteadyTime next() const { return asked_ ? std::min(silent_until_, glance_at_) : ask_at_; }

 private:
  void wait_from(SteadyTime now) {
    asked_at_ = now;
    silent_until_ = now + patience_;
    glance_at_ = now + glance_;
  }

  Millis every_;
  Millis glance_;
  Millis patience_;
  SteadyTime ask_at_{};
  SteadyTime asked_at_{};
  SteadyTime silent_until_{};
  SteadyTime glance_at_{};
  SteadyTime looked_at_{};
  bool asked_ = false;
};

}  // namespace azora::keeper
