#pragma once
// The common case of every strategy, inlined into the pick: the reader is up to date, no panic threshold is set and
// the first member that the strategy looks at is healthy. In any other case the result is null and the strategy
// itself goes on. If a turn was drawn for a member that is not eligible, the strategy would skip it as well.
// The parts, the cheapest first; each goes on to the next when it finds nothing:
//   Balancer::pick_fast(name)         finds the thread's handle of that name
//   Balancer::pick_fast(handle)       inlined into the caller
//     Balancer::pick_inlined          versions are compared, nothing is renewed
//       quick_any                     least-connections while no lease is held: a random member
//       quick_pick                    round-robin, weighted, least-connections of many: no call, few registers
//     Balancer::pick_full             a call
//       quick_pick_with_call          ip-hash, least-connections of few
//       Balancer::choose              renews what is stale and asks the strategy itself (strategy.hpp)
// Threads: any, each with its own PoolReader and Random. Ownership: as strategy.hpp says. Fails: null.
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "azora/balancer/client_key.hpp"
#include "azora/balancer/strategy.hpp"
#include "azora/balancer/turns.hpp"

namespace azora::balancer {

inline constexpr std::uint32_t kFullScan = 16;  // with up to so many eligible members least-connections looks at all

// Which threads take turns of one pool: any at any time, or one at a time.
enum class TurnTakers { any_thread, one_at_a_time };

template <TurnTakers kTakers>
Instance* quick_round_robin(Pool& pool, const Members& members) {
  const std::uint32_t size = members.size();
  if (size == 0) [[unlikely]] return nullptr;
  std::atomic<std::uint32_t>& position = pool.position();
  Instance* member =
      members.at(kTakers == TurnTakers::one_at_a_time ? take_turn_alone(position, size) : take_turn(position, size));
  return member->in(Among::healthy) ? member : nullptr;
}

template <TurnTakers kTakers>
Instance* quick_weighted(const WeightTable& table) {
  Instance* member = kTakers == TurnTakers::one_at_a_time ? table.next_alone() : table.next();
  return member->in(Among::healthy) ? member : nullptr;
}

inline Instance* quick_ip_hash(const HashTable& table, std::uint64_t hash) {
  if (table.size() == 0) [[unlikely]] return nullptr;
  Instance* member = table.at(mix64(hash));
  return member->in(Among::healthy) ? member : nullptr;
}

// The first owner among the slots of a key, in a pool with a key index. Not inlined: its registers would have to be
// saved on every pick by key, also in small pools.
Instance* quick_index(const Members& members, std::uint64_t key);

// Looks at every member of a small pool; returns the least loaded eligible one, a random one of several.
inline Instance* quick_scan(const Members& members, std::uint32_t size, Random& random) {
  std::array<Instance*, kFullScan> ties;
  std::size_t tied = 0;
  std::uint32_t least = UINT32_MAX;
  const std::shared_ptr<Instance>* const row = members.first_row();
  for (std::uint32_t place = 0; place < size; ++place) {
    Instance* const member = row[place].get();
    const std::uint32_t load = member->in(Among::healthy) ? member->load() : UINT32_MAX;
    if (load < least) {
      least = load;
      tied = 0;
    }
    ties[tied] = member;
    tied += load == least ? 1 : 0;
  }
  Instance* member = ties[random.below(tied)];
  return member->in(Among::healthy) ? member : nullptr;
}

// Draws two members at random, from one random number.
inline Instance* quick_two_choices(const Members& members, Random& random) {
  const std::uint64_t size = members.size();
  if (size == 0) [[unlikely]] return nullptr;
  const std::uint64_t lot = random.next();
  Instance* one = members.at(static_cast<std::uint32_t>((lot >> 32) * size >> 32));
  Instance* two = members.at(static_cast<std::uint32_t>((lot & UINT32_MAX) * size >> 32));
  if (!one->in(Among::healthy) || !two->in(Among::healthy)) [[unlikely]] return nullptr;
  return two->load() < one->load() ? two : one;
}

// Where no member is healthy no turn may be drawn here: turns then belong to the degraded members.
inline bool is_plain(const PoolReader& reader) {
  return reader.pool->is_newest(reader.members) && !reader.pool->has_panic_threshold() &&
         reader.pool->count(Among::healthy) > 0;
}

// A random member.
inline Instance* quick_any(const PoolReader& reader, Random& random) {
  if (!is_plain(reader) || reader.pool->explicit_weights()) [[unlikely]] return nullptr;
  const Members& members = *reader.members.value;
  const std::uint32_t size = members.size();
  if (size == 0) [[unlikely]] return nullptr;
  Instance* member = members.at(static_cast<std::uint32_t>(random.below(size)));
  return member->in(Among::healthy) ? member : nullptr;
}

// For strategies that need neither a call nor many registers. `reader.pool` is not null.
template <TurnTakers kTakers>
[[gnu::always_inline]] inline Instance* quick_pick(PoolReader& reader, Strategy strategy, Random& random) {
  if (!is_plain(reader)) [[unlikely]] return nullptr;
  Pool& pool = *reader.pool;
  const Members& members = *reader.members.value;
  if (strategy == Strategy::round_robin) return quick_round_robin<kTakers>(pool, members);
  if (strategy == Strategy::weighted) {
    const WeightTable* table = pool.newest_weights(reader);
    return table && table->is_scheduled() ? quick_weighted<kTakers>(*table) : nullptr;
  }
  const bool two = strategy == Strategy::least_connections && pool.count(Among::healthy) > kFullScan &&
                   !pool.explicit_weights();
  return two ? quick_two_choices(members, random) : nullptr;
}

// The same for strategies that need a call or many registers.
inline Instance* quick_pick_with_call(PoolReader& reader, Strategy strategy, std::string_view key, Random& random) {
  if (!is_plain(reader)) [[unlikely]] return nullptr;
  const Pool& pool = *reader.pool;
  if (strategy == Strategy::ip_hash) {
    if (key.empty()) return nullptr;
    if (reader.members.value->keys()) return quick_index(*reader.members.value, key_hash(key));
    const HashTable* table = pool.newest_hashes(reader);
    return table ? quick_ip_hash(*table, key_hash(key)) : nullptr;
  }
  const std::uint32_t size = reader.members.value->size();
  const bool scan = strategy == Strategy::least_connections && size > 0 && size <= kFullScan && !pool.explicit_weights();
  return scan ? quick_scan(*reader.members.value, size, random) : nullptr;
}

}  // namespace azora::balancer
