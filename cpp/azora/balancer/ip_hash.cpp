// The same key gets the same member, by a table or an index over *members*. A member that is not eligible is skipped
// by hashing again: its keys spread over the other members and come back with it, and the keys of the others never
// move. Weights are ignored.
#include <bit>

#include "azora/balancer/key_index.hpp"
#include "azora/balancer/quick.hpp"
#include "azora/balancer/strategy.hpp"
#include "azora/base/hash.hpp"

namespace azora::balancer {
namespace {

// With half of the members down one key in 2^64 gets beyond this, with 95 % down one in 27.
constexpr int kMostHashes = 64;
// In an index up to seven of eight slots have no owner; with 95 % of the members down one key in 600 gets beyond this.
constexpr std::uint64_t kMostQuestions = 1024;

// The eligible member that ranks highest for the key (rendezvous hashing): as stable as the table, but it looks at
// all members.
Instance* highest(const Members& members, Among among, std::uint64_t key) {
  Instance* best = nullptr;
  std::uint64_t best_rank = 0;
  const std::uint32_t count = members.size();
  for (std::uint32_t from = 0; from < count;) {
    const std::uint32_t place = members.next(among, from);
    if (place == kNoPlace || place < from) break;
    Instance* member = members.at(place);
    const std::uint64_t rank = mix64(key ^ hash_bytes(member->id()));
    if ((!best || rank > best_rank) && member->in(among)) {
      best = member;
      best_rank = rank;
    }
    from = place + 1;
  }
  return best;
}

Instance* by_index(const Members& members, Among among, std::uint64_t key) {
  const KeyIndex& keys = *members.keys();
  const std::uint32_t count = members.size();
  for (std::uint64_t asked = 0; asked < kMostQuestions; asked += KeyIndex::kTogether) {
    const KeyIndex::Slots slots = keys.ask(key, asked);
    for (unsigned left = slots.owned; left != 0; left &= left - 1) {
      const std::uint32_t place = keys.owner(slots.slot[static_cast<std::size_t>(std::countr_zero(left))]);
      if (place >= count) continue;  // no owner, or the owner joined after this version was made
      Instance* member = members.at(place);
      if (member->in(among)) [[likely]] return member;
    }
  }
  return highest(members, among, key);
}

}  // namespace

Instance* quick_index(const Members& members, std::uint64_t key) {
  const KeyIndex& keys = *members.keys();
  for (std::uint64_t asked = 0; asked < 8 * KeyIndex::kTogether; asked += KeyIndex::kTogether) {
    const KeyIndex::Slots slots = keys.ask(key, asked);
    if (slots.owned == 0) continue;
    const std::uint32_t place = keys.owner(slots.slot[static_cast<std::size_t>(std::countr_zero(slots.owned))]);
    if (place >= members.size()) [[unlikely]] return nullptr;
    Instance* member = members.at(place);
    return member->in(Among::healthy) ? member : nullptr;
  }
  return nullptr;
}

Instance* ip_hash(PoolReader& reader, const Ask& ask, Random&) {
  if (reader.members.value->keys()) return by_index(*reader.members.value, ask.among, ask.key_hash);
  const HashTable& table = reader.pool->hashes(reader);
  if (table.size() > 0) {
    std::uint64_t hash = mix64(ask.key_hash);
    for (int tried = 0; tried < kMostHashes; ++tried) {
      Instance* member = table.at(hash);
      if (member->in(ask.among)) [[likely]] return member;
      hash = mix64(hash);
    }
  }
  return highest(*reader.members.value, ask.among, ask.key_hash);
}

}  // namespace azora::balancer
