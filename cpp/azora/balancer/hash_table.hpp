#pragma once
// Maps keys to the members of a small pool consistently (Maglev): each of n members gets nearly 1/n of all keys, and
// when a member joins or leaves, few keys but its own move. The table covers all members, whatever their health, and
// depends on their ids alone: it is the same after a restart and on every machine.
// Threads: immutable; any. Ownership: holds its instances. Fails: never; without members size() is 0.
// Cost: a look-up is one multiplication and one load; building is O(table).
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "azora/balancer/instance.hpp"
#include "azora/balancer/random.hpp"

namespace azora::balancer {

// The number of slots for that many members, a prime. A table shrinks only when far fewer members are left than it
// was made for (`before`, 0: none), since another size moves nearly every key.
std::uint32_t hash_table_slots(std::size_t members, std::uint32_t before);

class HashTable {
 public:
  // `version`: of the membership it was made from; `slots_before`: of the table it replaces, or 0.
  HashTable(std::vector<std::shared_ptr<Instance>> members, std::uint64_t version,
            std::uint32_t slots_before);

  std::uint64_t version() const { return version_; }
  std::size_t size() const { return members_.size(); }
  std::uint32_t slots() const { return static_cast<std::uint32_t>(table_.size()); }
  const std::vector<std::shared_ptr<Instance>>& members() const { return members_; }

  // Not for an empty table.
  Instance* at(std::uint64_t hash) const {
    return members_[table_[multiply_high(hash, table_.size())]].get();
  }

 private:
  std::uint64_t version_;
  std::vector<std::shared_ptr<Instance>> members_;
  std::vector<std::uint16_t> table_;                // indexes of members_; small, so that it stays in the cache
};

}  // namespace azora::balancer
