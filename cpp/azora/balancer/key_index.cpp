#include "azora/balancer/key_index.hpp"

#include <bit>

#include "azora/base/hash.hpp"

namespace azora::balancer {
namespace {

constexpr std::uint64_t kSeed = 3;  // different from the seeds of hash_table.cpp

// Grows by factors of four: another number of slots moves most keys, so it changes seldom.
std::uint32_t slots_for(std::uint32_t members, std::uint32_t fewest) {
  std::uint32_t slots = fewest;
  while (slots / 2 < members) slots *= 4;
  return slots;
}

}  // namespace

KeyIndex::KeyIndex(std::uint32_t members)
    : mask_(slots_for(members, kFewestSlots) - 1),
      shift_(64U - static_cast<unsigned>(std::bit_width(mask_))),
      places_(std::make_unique<std::atomic<std::uint32_t>[]>(slots())),
      owned_(std::make_unique<std::atomic<std::uint64_t>[]>(slots() / 64)),
      hashes_(slots()) {
  for (std::uint32_t slot = 0; slot < slots(); ++slot) places_[slot].store(kNoPlace, std::memory_order_relaxed);
}

std::uint64_t KeyIndex::hash_of(const Instance& member) { return hash_bytes(member.id(), kSeed); }

void KeyIndex::write(std::uint32_t slot, std::uint64_t hash, std::uint32_t place) {
  hashes_[slot] = hash;
  places_[slot].store(place, std::memory_order_release);
  std::atomic<std::uint64_t>& word = owned_[slot / 64];
  const std::uint64_t bit = std::uint64_t{1} << (slot % 64);
  const std::uint64_t old = word.load(std::memory_order_relaxed);
  const std::uint64_t now = place != kNoPlace ? old | bit : old & ~bit;
  if (now != old) word.store(now, std::memory_order_release);
}

void KeyIndex::insert(std::uint64_t hash, std::uint32_t place) {
  std::uint32_t slot = home_of(hash);
  while (owned(slot)) {
    const std::uint32_t mine = away(slot, hash);
    const std::uint32_t theirs = away(slot, hashes_[slot]);
    if (mine > theirs || (mine == theirs && hash < hashes_[slot])) break;
    slot = next(slot);
  }
  // The rest of the run moves on by one slot, from its end, so that no owner is missing meanwhile.
  std::uint32_t end = slot;
  while (owned(end)) end = next(end);
  while (end != slot) {
    const std::uint32_t from = (end - 1) & mask_;
    write(end, hashes_[from], place_of(from));
    end = from;
  }
  write(slot, hash, place);
}

void KeyIndex::erase(std::uint64_t hash, std::uint32_t place) {
  std::uint32_t slot = home_of(hash);
  while (owned(slot) && place_of(slot) != place) slot = next(slot);
  if (!owned(slot)) return;
  for (std::uint32_t after = next(slot); owned(after) && away(after, hashes_[after]) > 0; after = next(after)) {
    write(slot, hashes_[after], place_of(after));
    slot = after;
  }
  write(slot, 0, kNoPlace);
}

}  // namespace azora::balancer
