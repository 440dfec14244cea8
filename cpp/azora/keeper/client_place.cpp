#include "azora/keeper/client_place.hpp"

#include <utility>

namespace azora::keeper {

Result<void> ClientPlace::open_given() {
  if (options_.folder.empty() || is_there()) return {};
  return take(RuntimeFolder::open(options_.folder));
}

Result<void> ClientPlace::make() {
  return take(options_.folder.empty()
                  ? RuntimeFolder::make(options_.runtime_dir, world_.variable("XDG_RUNTIME_DIR"))
                  : RuntimeFolder::open(options_.folder));
}

Result<void> ClientPlace::take(Result<RuntimeFolder> folder) {
  if (!folder) return std::move(folder).error();
  folder_ = std::move(folder).value();
  MutexLock lock(mutex_);
  path_ = folder_.path();
  return {};
}

std::string ClientPlace::path_of(Serial serial) const {
  MutexLock lock(mutex_);
  return path_.empty() ? "" : path_ + "/" + std::to_string(serial);
}

}  // namespace azora::keeper
