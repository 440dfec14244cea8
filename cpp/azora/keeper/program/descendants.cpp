#include "azora/keeper/program/descendants.hpp"

#include "azora/keeper/program/sys.hpp"

namespace azora::keeper {

DescendantWalk::DescendantWalk() { add_children(sys::own_pid(), &found_); }

DescendantWalk::~DescendantWalk() { let_go(); }

bool DescendantWalk::next() {
  while (at_ < found_.count()) {
    let_go();
    const int pid = found_.at(at_++);
    pidfd_ = sys::pidfd_open(pid);
    if (pidfd_ < 0 || !read_stat(pid, &process_) || !is_below(process_)) continue;
    proven_.add(process_);
    add_children(pid, &found_);
    return true;
  }
  return false;
}

void DescendantWalk::signal(int number) const { sys::pidfd_kill(pidfd_, number); }

bool DescendantWalk::is_below(const ProcessStat& process) const {
  if (process.parent == sys::own_pid()) return true;
  ProcessStat parent;
  return read_stat(process.parent, &parent) && proven_.contains(parent);
}

void DescendantWalk::let_go() {
  if (pidfd_ >= 0) sys::close(pidfd_);
  pidfd_ = -1;
}

void kill_descendants() {
  DescendantWalk walk;
  while (walk.next()) walk.signal(SIGKILL);
}

}  // namespace azora::keeper
