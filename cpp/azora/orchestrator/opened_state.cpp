#include "azora/orchestrator/opened_state.hpp"

#include <filesystem>
#include <fstream>
#include <utility>

#include "azora/base/hash.hpp"
#include "azora/store/memory_store.hpp"

namespace azora::orchestrator {

OpenedState::OpenedState(const Options& options, Loop& control, const ThreadDied& died) {
  if (options.make_store) {
    store_ = options.make_store(control);
    return;
  }
  if (!options.state_dir.empty()) {
    std::error_code ignored;
    folder_ = std::filesystem::absolute(options.state_dir, ignored).lexically_normal().string();
    durable_ = true;
    if (Result<void> opened = open(control, died); !opened) error_ = std::move(opened).error();
  }
  if (!store_ || error_) store_ = std::make_unique<store::MemoryStore>(store::MemoryStore::Keep::nothing);
}

Result<void> OpenedState::open(Loop& control, const ThreadDied& died) {
  auto store = store::SqliteStore::open(folder_, control, {.died = died});
  if (!store) return std::move(store).error();
  Result<std::vector<store::Row>> rows = store.value()->load();
  if (!rows) return std::move(rows).error();
  Result<store::State> state = store::decode_state(rows.value());
  if (!state) return std::move(state).error();
  Result<StoredFleet> fleet = read_stored(std::move(state).value());
  if (!fleet) return std::move(fleet).error();
  fleet_ = std::move(fleet).value();
  sqlite_ = store.value().get();
  store_ = std::move(store).value();
  return {};
}

void OpenedState::close() {
  if (sqlite_ != nullptr) sqlite_->close();
}

std::string OpenedState::fleet_token() const {
  std::error_code ignored;
  const std::filesystem::path real = std::filesystem::weakly_canonical(folder_, ignored);
  return "state-" + std::to_string(hash_bytes(real.string()));
}

std::string read_boot_id() {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
  return id;
}

}  // namespace azora::orchestrator
