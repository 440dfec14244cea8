#pragma once
// The words of selection: strategies, what makes a member eligible, why one is left out, and the
// settings of a pool.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "azora/base/time.hpp"

namespace azora::balancer {

enum class Strategy : std::uint8_t { round_robin, weighted, least_connections, ip_hash };
inline constexpr std::size_t kStrategyCount = 4;

constexpr std::string_view wire_name(Strategy strategy) {
  constexpr std::array<std::string_view, kStrategyCount> names = {"round-robin", "weighted",
                                                                  "least-connections", "ip-hash"};
  return names[static_cast<std::size_t>(strategy)];
}
std::optional<Strategy> strategy_from_wire(std::string_view name);
// "round-robin, weighted, least-connections or ip-hash": the choices, for messages.
std::string strategy_choices();

// How good a candidate is. A pick chooses among candidates of one tier: degraded ones only where the pool allows them
// and no healthy one is left.
enum class Tier : std::uint8_t { excluded, degraded, healthy };

constexpr std::string_view wire_name(Tier tier) {
  constexpr std::array<std::string_view, 3> names = {"excluded", "degraded", "healthy"};
  return names[static_cast<std::size_t>(tier)];
}

// Why an instance is left out of picks; the first that applies.
enum class Exclusion : std::uint8_t {
  none,
  unknown,      // no verdict yet
  unhealthy,    // checks fail
  stopped,      // known not to run: exited, stopped, never started
  stopping,     // its process is being ended: what it serves may end, nothing new is sent
  unwatched,    // the orchestrator is stopped, so its checks do not run
  draining,     // by its owner
  maintenance,  // by its owner
  ejected,      // as an outlier
  degraded,     // and the pool does not allow that, or something healthy is left
  no_weight,    // weight 0: no strategy picks it (R57)
  gone,         // unregistered
};

constexpr std::string_view wire_name(Exclusion why) {
  constexpr std::array<std::string_view, 12> names = {
      "",            "unknown", "unhealthy", "stopped", "stopping", "unwatched", "draining",
      "maintenance", "ejected", "degraded",  "weight",  "gone"};
  return names[static_cast<std::size_t>(why)];
}

// What the owner of a service says about its traffic.
enum class Admin : std::uint8_t { active, draining, maintenance };

// The standing of a service in its pools; `why` has a meaning only while the tier is excluded. It is out of rotation
// unless its owner lets it be active.
struct Standing {
  Tier tier = Tier::excluded;
  Exclusion why = Exclusion::unknown;
  Admin admin = Admin::active;
};

// Which members a pick chooses among.
enum class Among : std::uint8_t {
  healthy,
  degraded,
  alive,  // panic: too few are usable, so all members that are not known to be unusable
  sharing,  // for counting alone: the members that a panic threshold is a share of, all but those of weight 0
};
inline constexpr std::size_t kAmongCount = 4;
inline constexpr std::array<Among, kAmongCount> kAmongs = {Among::healthy, Among::degraded, Among::alive, Among::sharing};

// Where the load of a candidate was taken from.
enum class LoadSource : std::uint8_t { none, leases };

constexpr std::string_view wire_name(LoadSource source) {
  return source == LoadSource::leases ? "leases" : "none";
}

struct PoolOptions {
  Strategy strategy = Strategy::round_robin;
  bool allow_degraded = false;
  double panic_threshold = 0;    // share of usable members below which all alive ones serve; 0: never
  Millis lease_ttl{30'000};
};

// A change of a pool's options: what is unset stays.
struct PoolChange {
  std::optional<Strategy> strategy;
  std::optional<bool> allow_degraded;
  std::optional<double> panic_threshold;
  std::optional<Millis> lease_ttl;
};

}  // namespace azora::balancer
