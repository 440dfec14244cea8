#pragma once
// The common case of every strategy, inlined into the pick: the reader is up to date, no panic threshold is set and
// whom the strategy comes upon first is healthy. Anything else is null, and the strategy itself goes on; a turn that
// was drawn for somebody who is not eligible is a turn it would have passed over, too.
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

inline constexpr std::uint32_t kFullScan = 16;  // of so many eligible least-connections looks at all

// Who takes turns: any thread at any time, or one at a time.
enum class Takers { many, one };

template <Takers kTakers>
Instance* quick_round_robin(Pool& pool, const Members& members) {
  const std::uint32_t size = members.size();
  if (size == 0) [[unlikely]] return nullptr;
  std::atomic<std::uint32_t>& position = pool.position();
  Instance* member =
      members.at(kTakers == Takers::one ? take_turn_alone(position, size) : take_turn(position, size));
  return member->in(Among::healthy) ? member : nullptr;
}

template <Takers kTakers>
Instance* quick_weighted(const WeightTable& table) {
  Instance* member = kTakers == Takers::one ? table.next_alone() : table.next();
  return member->in(Among::healthy) ? member : nullptr;
}

inline Instance* quick_ip_hash(const HashTable& table, std::uint64_t hash) {
  if (table.size() == 0) [[unlikely]] return nullptr;
  Instance* member = table.at(mix64(hash));
  return member->in(Among::healthy) ? member : nullptr;
}

// The first owner that a key's questions come upon, in a pool with a key index. Not inlined: whoever asks for a key of
// a small pool would pay for its registers.
Instance* quick_index(const Members& members, std::uint64_t key);

// All of a small pool without gaps, whoever is eligible; ties by lot.
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

// Two by lot, from one random number.
inline Instance* quick_two_choices(const Members& members, Random& random) {
  const std::uint64_t size = members.size();
  if (size == 0) [[unlikely]] return nullptr;
  const std::uint64_t lot = random.next();
  Instance* one = members.at(static_cast<std::uint32_t>((lot >> 32) * size >> 32));
  Instance* two = members.at(static_cast<std::uint32_t>((lot & UINT32_MAX) * size >> 32));
  if (!one->in(Among::healthy) || !two->in(Among::healthy)) [[unlikely]] return nullptr;
  return two->load() < one->load() ? two : one;
}

// Where nobody is healthy no turn may be drawn here: it would be one of the degraded ones'.
inline bool is_plain(const PoolReader& reader) {
  return reader.pool->is_newest(reader.members) && !reader.pool->has_panic_threshold() &&
         reader.pool->count(Among::healthy) > 0;
}

// One by lot.
inline Instance* quick_any(const PoolReader& reader, Random& random) {
  if (!is_plain(reader) || reader.pool->explicit_weights()) [[unlikely]] return nullptr;
  const Members& members = *reader.members.value;
  const std::uint32_t size = members.size();
  if (size == 0) [[unlikely]] return nullptr;
  Instance* member = members.at(static_cast<std::uint32_t>(random.below(size)));
  return member->in(Among::healthy) ? member : nullptr;
}

// `reader.pool` is there. What needs neither a call nor many registers.
template <Takers kTakers>
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

// The same for what does.
inline Instance* quick_pick_further(PoolReader& reader, Strategy strategy, std::string_view key, Random& random) {
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
