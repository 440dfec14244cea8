#include "azora/listeners/proc_owners.hpp"

#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "azora/listeners/processes.hpp"

namespace azora::listeners {
namespace {

constexpr std::string_view kShimName = "azora-shim";

// A service's processes live below its shim, also those whose parents have ended.
pid_t root_of(pid_t main) {
  if (main <= 0) return 0;
  const std::optional<pid_t> parent = parent_of(main);
  return parent && name_of(*parent) == kShimName ? *parent : main;
}

}  // namespace

ProcOwners::ProcOwners(pid_t main, SocketHolders& holders)
    : main_(main), root_(root_of(main)), cgroup_(main > 0 ? service_cgroup_of(main) : 0), holders_(holders) {}

void ProcOwners::walk() {
  if (std::exchange(walked_, true) || root_ == 0) return;
  processes_ = {root_};
  constexpr std::size_t kMost = 100'000;
  for (std::size_t i = 0; i < processes_.size() && processes_.size() < kMost; ++i) {
    for (const pid_t child : children_of(processes_[i])) {
      if (std::find(processes_.begin(), processes_.end(), child) == processes_.end()) processes_.push_back(child);
    }
  }
}

bool ProcOwners::is_of_service(pid_t pid) const {
  constexpr int kDeepest = 1'000;
  for (int depth = 0; depth < kDeepest && pid > 1; ++depth) {
    if (pid == root_) return true;
    pid = parent_of(pid).value_or(0);
  }
  return false;
}

Owners::Whose ProcOwners::whose(const Listener& listener) {
  if (root_ == 0) return Whose::other;
  if (cgroup_ != 0 && listener.cgroup == cgroup_) return Whose::service;
  if (holds_socket(main_, listener.inode) == Holds::yes) return Whose::service;  // the usual case: no walk is needed
  walk();
  bool unreadable = false;
  for (const pid_t pid : processes_) {
    const Holds holds = holds_socket(pid, listener.inode);
    if (holds == Holds::yes) return Whose::service;
    unreadable |= holds == Holds::unreadable;
  }
  // The walk misses a process that changes its parent meanwhile.
  const std::optional<pid_t> holder = find_holder(listener);
  if (holder && is_of_service(*holder)) return Whose::service;
  return !holder && unreadable && !is_of_another_user(listener) ? Whose::unknown : Whose::other;
}

// After the walk.
bool ProcOwners::is_of_another_user(const Listener& listener) const {
  const uid_t we = ::geteuid();
  if (we == 0 || listener.uid == 0 || listener.uid == we) return false;
  return std::all_of(processes_.begin(), processes_.end(), [we](pid_t pid) { return is_only_user(pid, we); });
}

std::string ProcOwners::holder(const Listener& listener) {
  if (const std::optional<pid_t> pid = find_holder(listener)) {
    return "pid " + std::to_string(*pid) + " (" + name_of(*pid) + ")";
  }
  return "another program of user " + std::to_string(listener.uid);
}

// Prefers a process of the service to any other.
std::optional<pid_t> ProcOwners::find_holder(const Listener& listener) {
  return holders_.find(listener.inode, [this](pid_t pid) { return root_ != 0 && is_of_service(pid); });
}

}  // namespace azora::listeners
