#pragma once
// The tables of the strategies that need one: made when first needed, and again when a pick finds them stale. Until
// then the old table is used; members that left the pool are skipped in it, since their state excludes them.
// Threads: any, each with a Seen of its own; discard() on the control thread. Ownership: a part of its pool, whose
// members, numbers and shared worker it uses; `owner` keeps the pool alive while the worker builds.
// Fails: never. Cost: a table is rebuilt by the worker, a small one by the pick that finds it stale.
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "azora/balancer/hash_table.hpp"
#include "azora/balancer/members.hpp"
#include "azora/balancer/pool_numbers.hpp"
#include "azora/balancer/pool_shared.hpp"
#include "azora/balancer/weight_table.hpp"
#include "azora/base/mutex.hpp"
#include "azora/base/snapshot_cell.hpp"

namespace azora::balancer {

class Pool;

class PoolTables {
 public:
  using Owner = std::shared_ptr<Pool>;

  PoolTables(PoolShared& shared, const Published<Members>& members) : shared_(shared), members_(members) {}
  ~PoolTables() = default;
  PoolTables(const PoolTables&) = delete;
  PoolTables& operator=(const PoolTables&) = delete;

  // The newest there is, built at once when there is none.
  const WeightTable& weights(Seen<WeightTable>& seen, const PoolNumbers& numbers, const Owner& owner);
  const WeightTable& load_weights(Seen<WeightTable>& seen, const PoolNumbers& numbers, const Owner& owner);
  const HashTable& hashes(Seen<HashTable>& seen, const PoolNumbers& numbers, const Owner& owner);

  // The table as this reader holds it when it is the newest and not stale, else null.
  const WeightTable* newest_weights(const Seen<WeightTable>& seen, const PoolNumbers& numbers) const {
    return newest(weights_, seen, numbers.weight_version());
  }
  const HashTable* newest_hashes(const Seen<HashTable>& seen, const PoolNumbers& numbers) const {
    return newest(hashes_, seen, numbers.membership_version());
  }

  // Readers must not find the old tables again: empty tables replace them until the next are made.
  void discard();

 private:
  // A table and its rebuilding.
  template <typename Table>
  struct Lazy {
    Published<Table> published;
    std::atomic<bool> asked{false};  // a rebuild is on its way
    Mutex mutex;                     // one build at a time
  };
  using Version = std::uint64_t (PoolNumbers::*)() const;
  using Instances = std::vector<std::shared_ptr<Instance>>;
  // How and when one kind of table is made.
  template <typename Table>
  struct Kind {
    Lazy<Table> PoolTables::* lazy;
    Version wanted;
    std::shared_ptr<const Table> (*make)(Instances members, std::uint64_t version, const Table* before);
    std::size_t small;  // a table over that many members is made by the pick itself
  };

  template <typename Table>
  static const Table* newest(const Lazy<Table>& lazy, const Seen<Table>& seen, std::uint64_t wanted) {
    const bool is = seen.version == lazy.published.version() && seen.value->version() == wanted;
    return is ? seen.value.get() : nullptr;
  }
  template <typename Table>
  const Table& current(const Kind<Table>& kind, Seen<Table>& seen, const PoolNumbers& numbers, const Owner& owner);
  template <typename Table>
  [[gnu::noinline]] void renew(const Kind<Table>& kind, Seen<Table>& seen, const PoolNumbers& numbers, const Owner& owner);
  template <typename Table>
  void rebuild(const Kind<Table>& kind, const PoolNumbers& numbers);
  template <typename Table>
  static void discard(Lazy<Table>& lazy);
  Instances all_members(const PoolNumbers& numbers) const;

  static const Kind<WeightTable> kWeights;
  static const Kind<WeightTable> kLoadWeights;
  static const Kind<HashTable> kHashes;

  PoolShared& shared_;
  const Published<Members>& members_;
  Lazy<WeightTable> weights_;
  Lazy<WeightTable> load_weights_;
  Lazy<HashTable> hashes_;
};

}  // namespace azora::balancer
