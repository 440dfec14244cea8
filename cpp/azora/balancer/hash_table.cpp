#include "azora/balancer/hash_table.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "azora/base/check.hpp"
#include "azora/base/hash.hpp"

namespace azora::balancer {
namespace {

// Primes with a hundred slots per member or more: shares differ by about 1 %. Larger pools have a KeyIndex.
struct Size {
  std::size_t members;  // at most
  std::uint32_t slots;
};
constexpr std::array<Size, 3> kSizes = {{{16, 4'099}, {128, 16'381}, {SIZE_MAX, 65'537}}};

constexpr std::uint16_t kEmpty = UINT16_MAX;
constexpr std::uint64_t kOffsetSeed = 1;
constexpr std::uint64_t kSkipSeed = 2;

}  // namespace

std::uint32_t hash_table_slots(std::size_t members, std::uint32_t before) {
  const auto* fitting = std::find_if(kSizes.begin(), kSizes.end(),
                                     [&](const Size& size) { return members <= size.members; });
  if (before <= fitting->slots) return fitting->slots;
  // A table that is larger than needed is kept until the members are half of what the next smaller size takes.
  const auto* current = std::find_if(kSizes.begin(), kSizes.end(),
                                     [&](const Size& size) { return size.slots == before; });
  if (current == kSizes.end() || members <= (current - 1)->members / 2) return fitting->slots;
  return before;
}

HashTable::HashTable(std::vector<std::shared_ptr<Instance>> members, std::uint64_t version,
                     std::uint32_t slots_before)
    : version_(version), members_(std::move(members)) {
  if (members_.empty()) return;
  AZORA_ASSERT(members_.size() < kEmpty);
  const std::uint32_t slots = hash_table_slots(members_.size(), slots_before);

  struct Walk {
    std::uint64_t hash;
    std::uint32_t place;
    std::uint32_t skip;
    std::uint32_t member;
  };
  std::vector<Walk> walks;
  walks.reserve(members_.size());
  for (std::uint32_t i = 0; i < members_.size(); ++i) {
    const std::string& id = members_[i]->id();
    const std::uint64_t hash = hash_bytes(id, kOffsetSeed);
    walks.push_back({hash, static_cast<std::uint32_t>(hash % slots),
                     static_cast<std::uint32_t>(hash_bytes(id, kSkipSeed) % (slots - 1) + 1), i});
  }
  // The order of registration must not count: the table must not depend on it.
  std::sort(walks.begin(), walks.end(), [&](const Walk& a, const Walk& b) {
    return a.hash != b.hash ? a.hash < b.hash : members_[a.member]->id() < members_[b.member]->id();
  });

  table_.assign(slots, kEmpty);
  std::uint32_t left = slots;
  while (left > 0) {
    for (Walk& walk : walks) {
      while (table_[walk.place] != kEmpty) {
        walk.place += walk.skip;
        if (walk.place >= slots) walk.place -= slots;
      }
      table_[walk.place] = static_cast<std::uint16_t>(walk.member);
      if (--left == 0) break;
    }
  }
}

}  // namespace azora::balancer
