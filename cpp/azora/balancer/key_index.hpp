#pragma once
// Maps keys to the members of a large pool consistently, without a table that must be built first. Each member owns
// one slot near the hash of its id; a key asks the slots of its own random sequence until one is owned. So each
// member gets the same share of all keys, a new member takes keys from all others alike, and members that are down
// are skipped like empty slots. Slots are assigned by linear probing in the order of the hashes. The order of joins
// and leaves does not matter: the result depends on the ids and on the number of slots alone.
// Threads: insert() and erase() on the control thread, patched in place; the rest any thread, without locks. While
// neighbours move by a slot a reader may find one of them twice, but never misses one.
// Ownership: holds places of the pool's members, not the members. Fails: never, while fits().
// Cost: insert() and erase() O(1) on average; ask() four loads. Between an eighth and
// half of the slots are owned (fewer once members left), so a key asks two to eight of them on average.
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "azora/balancer/members.hpp"
#include "azora/base/hash.hpp"

namespace azora::balancer {

class KeyIndex {
 public:
  // Makes an index with room for that many members and some more.
  explicit KeyIndex(std::uint32_t members);

  std::uint32_t slots() const { return mask_ + 1; }
  bool fits(std::uint32_t members) const { return members <= slots() / 2; }
  // For how many members to make the next index when `members` are left: the slots stay until far fewer are enough.
  std::uint32_t room_for(std::uint32_t members) const { return members >= slots() / 16 ? slots() / 2 : members; }

  // Looks at several slots of a key's sequence together: their numbers, and a bit for each that is owned. (The
  // sequence is that of splitmix64, so no number waits for the one before.) One by one, the branch after each slot
  // would be mispredicted about half of the time.
  static constexpr std::uint64_t kTogether = 4;
  struct Slots {
    std::array<std::uint32_t, kTogether> slot;
    unsigned owned = 0;
  };
  Slots ask(std::uint64_t key, std::uint64_t first) const {
    Slots slots;
    for (std::uint64_t i = 0; i < kTogether; ++i) {
      std::uint64_t point = mix64(key + (first + i) * 0x9e3779b97f4a7c15ULL);
      asm("" : "+r"(point));  // vectors of SSE2 multiply 64 bits slower than four registers do
      const auto slot = static_cast<std::uint32_t>(point >> shift_);
      const std::uint64_t word = owned_[slot / 64].load(std::memory_order_relaxed);
      slots.slot[i] = slot;
      slots.owned |= static_cast<unsigned>((word >> (slot % 64)) & 1U) << i;
    }
    return slots;
  }
  // The place of the member that owns an owned slot; kNoPlace: the owner has left.
  std::uint32_t owner(std::uint32_t slot) const { return places_[slot].load(std::memory_order_acquire); }

  // Control thread. `hash`: of the member's id, by hash_of().
  static std::uint64_t hash_of(const Instance& member);
  void insert(std::uint64_t hash, std::uint32_t place);
  void erase(std::uint64_t hash, std::uint32_t place);

 private:
  static constexpr std::uint32_t kFewestSlots = 2048;

  bool owned(std::uint32_t slot) const { return place_of(slot) != kNoPlace; }
  std::uint32_t place_of(std::uint32_t slot) const { return places_[slot].load(std::memory_order_relaxed); }
  std::uint32_t next(std::uint32_t slot) const { return (slot + 1) & mask_; }
  std::uint32_t home_of(std::uint64_t hash) const { return static_cast<std::uint32_t>(hash >> shift_); }
  // How far that slot is from the home slot of the hash.
  std::uint32_t away(std::uint32_t slot, std::uint64_t hash) const { return (slot - home_of(hash)) & mask_; }
  void write(std::uint32_t slot, std::uint64_t hash, std::uint32_t place);

  std::uint32_t mask_;
  unsigned shift_;
  std::unique_ptr<std::atomic<std::uint32_t>[]> places_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> owned_;  // bit per slot: most questions end here
  std::vector<std::uint64_t> hashes_;                     // of the owners; control thread
};

}  // namespace azora::balancer
