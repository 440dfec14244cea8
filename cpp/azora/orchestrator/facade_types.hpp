#pragma once
// What callers give to an orchestrator and get back, as values: its options, the wishes of owners and the answers.
// Threads: any. Ownership: values. Fails: never.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "azora/base/time.hpp"
#include "azora/model/view.hpp"

namespace azora {
class Loop;
}
namespace azora::store {
class Store;
}

namespace azora::orchestrator {

struct Options {
  std::string keeper_path;      // of the azora-keeper program
  std::string runtime_dir;      // empty: a private one of our own
  int max_concurrent_starts = -1;  // -1: max(4, 2 x cores); 0 no cap
  int starts_per_second = 50;      // 0 no cap
  std::string build_id;
  // The folder of a durable fleet: its registrations and decisions are kept there, its services go on when this program
  // is killed, and the next orchestrator with that folder takes them back. Empty: all ends with this program.
  std::string state_dir;
  // How long, and in how many bytes, past events are kept in that folder; the older ones go first.
  Millis history_max_age{30LL * 24 * 3600 * 1000};
  std::uint64_t history_max_bytes = std::uint64_t{64} << 20;
  // Makes the store. The store answers on the loop that it is given, the one of the control thread. Empty: a store in
  // memory that keeps nothing, for a fleet that ends together with this program.
  std::function<std::unique_ptr<store::Store>(Loop&)> make_store;
};

enum class Verb { start, stop, restart };

// When a changed argv, env, cwd or user takes effect on a process that runs: at its next start, or now, by a restart.
enum class Apply { at_next_start, restart };

struct VerbAnswer {
  std::string service_id;
  std::uint64_t incarnation = 0;
  std::uint64_t seq = 0;
  std::vector<std::string> affected;
};

struct DrainWish {
  Millis timeout{30'000};  // the drain is over after this, whatever leases are left
  DrainThen then = DrainThen::keep;
};

struct MaintenanceWish {
  std::string reason;
  std::optional<WallTime> until;  // nullopt: until it is ended
};

struct Totals {
  bool running = false;
  std::size_t total = 0, healthy = 0, unhealthy = 0;
  std::uint64_t seq = 0;
};

}  // namespace azora::orchestrator
