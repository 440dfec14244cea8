#include "azora/keeper/program/sweep.hpp"

#include "azora/keeper/program/sys.hpp"

namespace azora::keeper {

int kill_descendants() {
  PidList found;
  add_children(sys::own_pid(), &found);
  int alive = 0;
  // Children are listed before their parent is hit: its death would hand them to us unseen until the next walk.
  for (int i = 0; i < found.count(); ++i) {
    ProcessStat stat;
    if (!read_stat(found.at(i), &stat)) continue;
    if (!stat.alive()) continue;
    ++alive;
    add_children(found.at(i), &found);
    sys::kill(found.at(i), SIGKILL);
  }
  return alive;
}

}  // namespace azora::keeper
