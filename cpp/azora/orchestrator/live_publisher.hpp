#pragma once
// The Publisher of a running orchestrator: over pools, event log and the board that readers see.
// Threads: the control thread; board() and figures any thread. Ownership: borrows pools and log, which outlive it.
// Fails: never.
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "azora/balancer/balancer.hpp"
#include "azora/base/snapshot_cell.hpp"
#include "azora/base/thread_role.hpp"
#include "azora/events/log.hpp"
#include "azora/orchestrator/publisher.hpp"

namespace azora::orchestrator {

class LivePublisher : public Publisher {
 public:
  LivePublisher(balancer::Balancer& balancer, events::EventLog& log) : balancer_(balancer), pools_(balancer.pools()), log_(log) {}

  std::uint64_t append(Event event) override {
    control_thread.assert_held();
    return log_.append(std::move(event));
  }
  std::uint64_t append_check(events::Check check) override {
    control_thread.assert_held();
    return log_.append_check(std::move(check));
  }
  void add_name(std::uint64_t serial, std::shared_ptr<const std::string> id) override {
    control_thread.assert_held();
    log_.add_name(serial, std::move(id));
  }
  void drop_name(std::uint64_t serial) override {
    control_thread.assert_held();
    log_.drop_name(serial);
  }
  std::uint64_t head() const override { return log_.head(); }
  void pool_put(std::uint64_t serial, const SpecPtr& spec) override { pools_.put(serial, spec); }
  void pool_remove(std::uint64_t serial) override {
    risen_.erase(serial);
    pools_.remove(serial);
  }
  // An excluded service leaves its pools at once. A service that returns waits for the end of the turn, so that no pick
  // names a service that every view still calls dead.
  void set_standing(std::uint64_t serial, Standing standing, std::uint64_t incarnation) override {
    if (standing.admin != Admin::active) pools_.set_admin(serial, standing.admin);
    if (standing.tier != Tier::excluded) {
      risen_.insert_or_assign(serial, std::pair(standing, incarnation));
      return;
    }
    risen_.erase(serial);
    pools_.set_tier(serial, standing.tier, incarnation, standing.why);
    pools_.set_admin(serial, standing.admin);
  }
  std::uint32_t leases(std::uint64_t serial) const override { return pools_.leases(serial); }
  // The board is published before the events: a reader that saw an event reads a state that contains it.
  void publish(std::shared_ptr<const Board> board) override {
    control_thread.assert_held();
    if (board) board_.publish(std::move(board));
    for (const auto& [serial, risen] : risen_) {
      pools_.set_tier(serial, risen.first.tier, risen.second, risen.first.why);
      pools_.set_admin(serial, risen.first.admin);
    }
    risen_.clear();
    pools_.publish();
    seq_.store(log_.head(), std::memory_order_release);
    if (keep_) keep_(log_.unpublished(), log_.head());
    log_.publish_turn();
    const std::uint64_t touched = balancer_.members_touched();
    if (touched != touched_) touched_in_turn_.store(touched - touched_, std::memory_order_relaxed);
    touched_ = touched;
  }

  // Called at the end of each turn with its state events and the newest number given, before the events are visible.
  using Keep = std::function<void(const std::vector<events::EventPtr>& events, std::uint64_t head)>;
  void set_keep(Keep keep) { keep_ = std::move(keep); }

  // The newest version. A thread keeps no reference to it afterwards, because a pinned version of a large fleet would
  // keep alive all views that were replaced since.
  std::shared_ptr<const Board> board() const { return board_.take(); }
  // The last event that readers' state reflects: whatever is read after this call contains it.
  std::uint64_t seq() const { return seq_.load(std::memory_order_acquire); }
  // How many places of pools were written by the last turn that wrote any.
  std::uint64_t members_touched_in_turn() const { return touched_in_turn_.load(std::memory_order_relaxed); }

 private:
  balancer::Balancer& balancer_;
  balancer::PoolSet& pools_;
  events::EventLog& log_;
  Keep keep_;
  std::unordered_map<std::uint64_t, std::pair<Standing, std::uint64_t>> risen_;  // back in this turn, with incarnation
  std::atomic<std::uint64_t> seq_{0};
  std::uint64_t touched_ = 0;  // count at the end of the last turn
  std::atomic<std::uint64_t> touched_in_turn_{0};
  SnapshotCell<Board> board_{std::make_shared<const Board>()};
};

}  // namespace azora::orchestrator
