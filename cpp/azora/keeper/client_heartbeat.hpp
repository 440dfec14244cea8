#pragma once
// Whether a keeper still works: it is asked every few seconds, and anything it says is an answer.
// Time is given. When we ourselves did not look for long (stopped, starved), that span is not held against it.
// Threads: az-keeper. Fails: never.
#include <algorithm>

#include "azora/base/time.hpp"

namespace azora::keeper {

class Heartbeat {
 public:
  Heartbeat(Millis every, Millis patience) : every_(every), patience_(patience) {}

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
    silent_until_ = now + patience_;
    ask_at_ = now + every_;
    return true;
  }
  // Asks at once, and waits no longer than that for the answer.
  void hurry(SteadyTime now, Millis patience) {
    patience_ = std::min(patience_, patience);
    looked_at_ = now;
    ask_at_ = std::min(ask_at_, now);
    if (asked_) silent_until_ = std::min(silent_until_, now + patience_);
  }
  // After all that it said was read: it has not answered in time.
  bool is_silent(SteadyTime now) {
    const bool we_were_away = now - looked_at_ > every_ + patience_;
    looked_at_ = now;
    if (asked_ && we_were_away) silent_until_ = now + patience_;
    return asked_ && now >= silent_until_;
  }
  // When to look again.
  SteadyTime next() const { return asked_ ? silent_until_ : ask_at_; }
  Millis patience() const { return patience_; }

 private:
  Millis every_;
  Millis patience_;
  SteadyTime ask_at_{};
  SteadyTime silent_until_{};
  SteadyTime looked_at_{};
  bool asked_ = false;
};

}  // namespace azora::keeper
