#include "azora/keeper/program/own_folder.hpp"

#include <errno.h>

#include "azora/keeper/program/channel.hpp"
#include "azora/keeper/program/fleet_dir.hpp"
#include "azora/keeper/program/main.hpp"
#include "azora/keeper/program/sys.hpp"
#include "azora/keeper/program/text.hpp"

namespace azora::keeper {

bool enter_own_folder(const char* path) {
  const long made = sys::make_dir(path, kPrivateDir);
  if ((made < 0 && made != -EEXIST) || sys::change_dir(path) < 0) return false;
  const int listener = listen_at(kShimSocket);
  if (listener >= 0) {
    sys::duplicate(listener, kListenerFd, O_CLOEXEC);
    sys::close(listener);
  }
  return true;
}

bool make_own_folder_anew() {
  constexpr char kDeleted[] = " (deleted)";  // as the kernel says it
  constexpr long kDeletedSize = sizeof kDeleted - 1;
  char path[Path::kRoom];
  const long size = sys::read_link("/proc/self/cwd", path, sizeof path - 1);
  if (size <= kDeletedSize || size >= static_cast<long>(sizeof path) - 1) return false;
  path[size] = 0;
  if (!equal(path + size - kDeletedSize, kDeleted)) return false;
  path[size - kDeletedSize] = 0;
  return enter_own_folder(path);
}

}  // namespace azora::keeper
