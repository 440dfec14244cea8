#include "azora/keeper/program/fleet_dir.hpp"

#include "azora/keeper/log_mark.hpp"
#include "azora/keeper/program/directory.hpp"
#include "azora/keeper/program/text.hpp"
#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

std::uint64_t log_number(const char* name) {
  return starts_with(name, kLogPrefix) ? number_or_zero(name + sizeof kLogPrefix - 1) : 0;
}

bool is_of_log(const char* name) {
  if (!starts_with(name, kLogPrefix)) return false;
  const char* end = name + sizeof kLogPrefix - 1;
  return to_number(end, &end) > 0 && (*end == 0 || equal(end, kTimesSuffix));
}

bool remove_service_files(const char* folder) {
  sys::unlink(Path(folder, "/", kShimSocket).c_str());
  // Removing while listing may skip entries; a pass that removes nothing has seen them all.
  for (bool removed = true; removed;) {
    removed = false;
    for_each_name(folder, [&](const char* name) {
      if (is_of_log(name) && sys::unlink(Path(folder, "/", name).c_str()) == 0) removed = true;
    });
  }
  return sys::remove_dir(folder) == 0;
}

void remove_fleet_dir(const char* path) {
  bool in_use = false;
  for_each_name(path, [&](const char* name) { in_use |= number_or_zero(name) > 0; });
  if (in_use) return;
  sys::unlink(Path(path, "/", kKeeperSocket).c_str());
  sys::remove_dir(path);
}

}  // namespace azora::keeper
