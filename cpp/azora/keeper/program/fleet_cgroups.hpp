#pragma once
// The cgroups of a fleet's services, where cgroups can be made.
// Threads: the program has one. Fails: never; without cgroups there is nothing to empty.
#include "azora/keeper/program/cgroup.hpp"
#include "azora/keeper/program/sys.hpp"

namespace azora::keeper {

class FleetCgroups {
 public:
  // `token` names the fleet, and lives as long as the program.
  FleetCgroups(bool wanted, const char* token) : token_(token) {
    if (wanted) base_ = cgroup_base();
  }
  // "-": there are none.
  Path path_of(std::uint64_t serial) const {
    return base_.size() > 0 ? cgroup_path(base_.c_str(), token_, serial) : Path("-");
  }
  // Kills all that is in it, and removes it. True: nothing is left.
  bool kill_all(std::uint64_t serial) const {
    if (base_.size() == 0) return true;
    const Path cgroup = path_of(serial);
    if (!kill_cgroup(cgroup.c_str())) return false;
    sys::remove_dir(cgroup.c_str());
    return true;
  }

 private:
  Path base_;  // empty: nowhere
  const char* token_;
};

}  // namespace azora::keeper
