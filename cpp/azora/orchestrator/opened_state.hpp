#pragma once
// What an orchestrator begins with: its store, what a former orchestrator left in it, and where its shims are. Without a
// state directory: a store in memory that keeps nothing.
// Threads: the maker's; the store's answers come on the control loop. Ownership: owns the store; borrows the loop.
// Fails: error() says why the directory cannot be used; then nothing of it is touched, and nothing may be changed.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "azora/base/loop.hpp"
#include "azora/base/thread.hpp"
#include "azora/events/log.hpp"
#include "azora/orchestrator/orchestrator.hpp"
#include "azora/orchestrator/reads/metrics.hpp"
#include "azora/orchestrator/stored_fleet.hpp"
#include "azora/store/history.hpp"
#include "azora/store/sqlite_store.hpp"

namespace azora::orchestrator {

class OpenedState {
 public:
  OpenedState(const Options& options, Loop& control, const ThreadDied& died);

  const std::optional<Error>& error() const { return error_; }
  bool is_durable() const { return durable_; }
  store::Store& store() { return *store_; }
  const store::HeadsRecord& heads() const { return fleet_.heads; }
  // No event of a former orchestrator has this number or a greater one.
  std::uint64_t first_event() const;
  // What readers of a former orchestrator's events find in the log of this one.
  events::Former former_log() const;
  // Null without a state directory.
  store::History* history() { return sqlite_ == nullptr ? nullptr : sqlite_->history().get(); }
  HistoryCounts history_counts() const;
  // Takes the state events of a turn for the history, and the newest number; empty without a state directory.
  std::function<void(const std::vector<store::StoredEvent>& events, std::uint64_t head)> keep();
  // Of a former orchestrator. Once.
  StoredFleet take_fleet() { return std::move(fleet_); }

  // Gives the directory up for the next orchestrator. Nothing is stored any more.
  void close();

  std::string keeper_folder() const { return folder_ + "/run"; }
  // Names the fleet's cgroups: the same in each run with this directory, and no other directory has it.
  std::string fleet_token() const;

 private:
  Result<void> open(const Options& options, Loop& control, const ThreadDied& died);

  std::string folder_;
  bool durable_ = false;
  std::optional<Error> error_;
  std::unique_ptr<store::Store> store_;
  store::SqliteStore* sqlite_ = nullptr;  // the same, if it is one
  StoredFleet fleet_;
};

// Changes with each start of the system; empty: the kernel does not say.
std::string read_boot_id();

}  // namespace azora::orchestrator
