#pragma once
// The processes below this one: all that a service has, since its shim is their subreaper. Processes change during a
// walk: one that it misses comes to us as an orphan when its parent dies, and that death wakes us for another walk.
// A signal goes only to a process that is proven to be below us. A pid does not prove it: the process may have ended
// and the number may be that of another by now. So we take a pidfd first and look at the process then: its parent
// must be this process, or one that was proven before and is still the same. If the number has changed hands in
// between, the pidfd is that of a dead process, and the signal goes nowhere.
// Threads: the program has one. Fails: what /proc does not show is not found.
#include "azora/keeper/program/proc.hpp"

namespace azora::keeper {

// One walk; parents come before their children. A dead process that its parent has not waited for may be among them:
// signals do nothing to it, unless threads of it live on.
class DescendantWalk {
 public:
  DescendantWalk();
  ~DescendantWalk();
  DescendantWalk(const DescendantWalk&) = delete;
  DescendantWalk& operator=(const DescendantWalk&) = delete;

  // Goes on to the next one, whose children are listed already: signal() may end it. False: that was all.
  bool next();
  const ProcessStat& process() const { return process_; }
  void signal(int number) const;

 private:
  bool is_below(const ProcessStat& process) const;
  void let_go();
  PidList found_;
  ProcessSet proven_;
  ProcessStat process_;
  int pidfd_ = -1;
  int at_ = 0;
};

// SIGKILL to all of them. Callers walk once per SIGCHLD until wait says that no child is left.
void kill_descendants();

}  // namespace azora::keeper
