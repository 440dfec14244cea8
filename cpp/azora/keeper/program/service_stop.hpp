#pragma once
// How one incarnation of a service is brought to its end (R53): what was ordered, which of its processes have had the
// stop signal, and when SIGKILL follows.
// - Ordered: the signal goes to the main process, or to all processes at once (tree). What is left when main has ended
//   gets it then and has the rest of the time.
// - Main ended by itself: what is left gets the signal and has orphanTimeout.
// No process gets the signal twice, and none that was started after its parent had it: what a handler runs to clean up
// is left alone. SIGCONT follows each signal, since a stopped process could not act on it.
// Threads: the program has one. Ownership: memory while processes are left, given back by over().
#include <cstdint>

#include "azora/keeper/program/proc.hpp"
#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

class ServiceStop {
 public:
  // A new incarnation; `order` says how it is stopped when no other order comes.
  void renew(const StopOrder& order, std::uint32_t orphan_timeout_ms);

  // `main`: the living main process, 0 when it has ended. A repeated order may change the time: a shorter one counts from
  // now, a longer one from where the former one did.
  void order(const StopOrder& order, int main);
  // The stop as it was ordered at launch. It never extends the time of an order that came since.
  void order_as_launched(int main);
  // SIGKILL from here on: no process gets another signal or more time.
  void kill();
  // Main has ended and processes are left. False: they are to be killed.
  bool spare_left();
  // Nothing is left.
  void over();

  // 0: SIGKILL is not due at any time.
  std::int64_t kill_at_ns() const { return kill_at_ns_; }

 private:
  void carry_out(const StopOrder& order, int main);
  void limit(std::uint32_t timeout_ms);
  void signal_main(int main);
  void signal_below(int main);

  StopOrder launched_;
  std::uint32_t orphan_timeout_ms_ = 0;
  StopOrder order_;          // the one in force
  ProcessSet signalled_;
  std::int64_t kill_at_ns_ = 0;
  bool ordered_ = false;
  bool left_signalled_ = false;
  bool killing_ = false;
};

}  // namespace azora::keeper
