#pragma once
// The interface of every strategy: a function that gets a pool, as one thread sees it, and returns a member. Each is
// in a file of its own; README.md says what a good addition is.
// Threads: any, each with its own PoolReader and Random. Ownership: the returned member lives until the reader's next
// pick from that pool.
// Fails: null when no member is eligible, or every eligible one has weight 0.
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "azora/balancer/pool.hpp"
#include "azora/balancer/random.hpp"

namespace azora::balancer {

struct Ask {
  Among among = Among::healthy;
  std::uint64_t key_hash = 0;  // ip-hash
  bool peek = false;           // takes no turn: the next pick returns the same member
};

// The returned member satisfied Instance::in(ask.among) at some moment after the call began.
using Choose = Instance* (*)(PoolReader& reader, const Ask& ask, Random& random);

Instance* round_robin(PoolReader& reader, const Ask& ask, Random& random);
Instance* weighted(PoolReader& reader, const Ask& ask, Random& random);
Instance* least_connections(PoolReader& reader, const Ask& ask, Random& random);
Instance* ip_hash(PoolReader& reader, const Ask& ask, Random& random);

// In the order of the enum.
inline constexpr std::array<Choose, kStrategyCount> kStrategies = {round_robin, weighted,
                                                                   least_connections, ip_hash};

}  // namespace azora::balancer
