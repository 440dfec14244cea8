#pragma once
// The end of a client: how it was asked for, what must happen at what time, and how it came out. A fleet that is
// stopped has until the deadline. Then all services are killed, after that a keeper that does nothing any more, and
// at last the client ends in any case. The caller passes the time.
// Threads: az-keeper; was_clean() after it. Fails: never.
#include <utility>

#include "azora/base/time.hpp"
#include "azora/keeper/client_command.hpp"

namespace azora::keeper {

class Farewell {
 public:
  static constexpr Millis kKeeperPatience{2'000};  // after SIGKILL for all; a keeper that is not done by then hangs
  static constexpr Millis kPatience{5'000};        // after the deadline, in all

  // Sets how to end; may be called again with another deadline. True: the fleet was not being stopped before.
  bool ask(Ending how, SteadyTime deadline) {
    const bool begins = ending_ == Ending::no && how == Ending::stop;
    ending_ = how;
    deadline_ = deadline;
    return begins;
  }
  bool is_asked() const { return ending_ != Ending::no; }
  bool stops() const { return ending_ == Ending::stop; }
  bool leaves() const { return ending_ == Ending::leave; }

  // For a fleet that is being stopped. The first two return true once each.
  bool must_kill_all(SteadyTime now) { return is_late(now) && !std::exchange(killed_all_, true); }
  bool must_kill_keeper(SteadyTime now) {
    return now >= deadline_ + kKeeperPatience && !std::exchange(killed_keeper_, true);
  }
  bool is_late(SteadyTime now) const { return now >= deadline_; }
  bool must_give_up(SteadyTime now) const { return now >= deadline_ + kPatience; }
  // When the next of them is due.
  SteadyTime next() const {
    if (!stops()) return SteadyTime::max();
    return !killed_all_ ? deadline_ : !killed_keeper_ ? deadline_ + kKeeperPatience : deadline_ + kPatience;
  }

  // `clean`: nothing was left running that should not be.
  void finish(bool clean) {
    over_ = true;
    clean_ = clean;
  }
  bool is_over() const { return over_; }
  bool was_clean() const { return clean_; }

 private:
  Ending ending_ = Ending::no;
  SteadyTime deadline_{};
  bool killed_all_ = false;
  bool killed_keeper_ = false;
  bool over_ = false;
  bool clean_ = true;
};

}  // namespace azora::keeper
