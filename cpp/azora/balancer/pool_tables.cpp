#include "azora/balancer/pool_tables.hpp"

#include <utility>

namespace azora::balancer {
namespace {

// Tables over that many members are made in a few microseconds (weights) or some tens (hashes, the smallest size):
// not worth another thread, and then they are exact at once.
constexpr std::size_t kSmallWeights = 256;
constexpr std::size_t kSmallHashes = 16;

template <double (Instance::*kWeight)() const>
std::shared_ptr<const WeightTable> make_weights(std::vector<std::shared_ptr<Instance>> members, std::uint64_t version,
                                                const WeightTable* before) {
  std::vector<WeightTable::Entry> entries;
  entries.reserve(members.size());
  for (std::shared_ptr<Instance>& member : members) {
    const double weight = (member.get()->*kWeight)();
    entries.push_back({std::move(member), weight});
  }
  return std::make_shared<const WeightTable>(entries, version, before);
}

std::shared_ptr<const HashTable> make_hashes(std::vector<std::shared_ptr<Instance>> members, std::uint64_t version,
                                             const HashTable* before) {
  return std::make_shared<const HashTable>(std::move(members), version, before ? before->slots() : 0);
}

std::shared_ptr<const WeightTable> empty(const WeightTable*) {
  return std::make_shared<const WeightTable>(std::vector<WeightTable::Entry>{}, 0, nullptr);
}
std::shared_ptr<const HashTable> empty(const HashTable*) {
  return std::make_shared<const HashTable>(std::vector<std::shared_ptr<Instance>>{}, 0, 0);
}

}  // namespace

constexpr PoolTables::Kind<WeightTable> PoolTables::kWeights{
    &PoolTables::weights_, &PoolNumbers::weight_version, &make_weights<&Instance::weight>, kSmallWeights};
constexpr PoolTables::Kind<WeightTable> PoolTables::kLoadWeights{
    &PoolTables::load_weights_, &PoolNumbers::weight_version, &make_weights<&Instance::load_weight>, kSmallWeights};
constexpr PoolTables::Kind<HashTable> PoolTables::kHashes{
    &PoolTables::hashes_, &PoolNumbers::membership_version, &make_hashes, kSmallHashes};

template <typename Table>
[[gnu::always_inline]] inline const Table& PoolTables::current(const Kind<Table>& kind, Seen<Table>& seen, const PoolNumbers& numbers,
                                        const Owner& owner) {
  (this->*kind.lazy).published.refresh(seen);
  if (!seen.value || seen.value->version() != (numbers.*kind.wanted)()) [[unlikely]] {
    renew(kind, seen, numbers, owner);
  }
  return *seen.value;
}

template <typename Table>
void PoolTables::renew(const Kind<Table>& kind, Seen<Table>& seen, const PoolNumbers& numbers, const Owner& owner) {
  Lazy<Table>& lazy = this->*kind.lazy;
  if (!seen.value || numbers.size() <= kind.small || !shared_.worker) {
    rebuild(kind, numbers);
    lazy.published.refresh(seen);
    return;
  }
  if (lazy.asked.exchange(true, std::memory_order_acq_rel)) return;
  shared_.worker([this, weak = std::weak_ptr<Pool>(owner), &kind, &numbers] {
    const Owner pool = weak.lock();  // this object and the numbers are parts of the pool
    if (!pool) return;
    // Cleared first, so that a change during the build asks for another one.
    (this->*kind.lazy).asked.store(false, std::memory_order_release);
    rebuild(kind, numbers);
  });
}

// The version is read before the members: a change in between makes the table stale, not wrong.
template <typename Table>
void PoolTables::rebuild(const Kind<Table>& kind, const PoolNumbers& numbers) {
  Lazy<Table>& lazy = this->*kind.lazy;
  MutexLock lock(lazy.mutex);
  const std::uint64_t wanted = (numbers.*kind.wanted)();
  const std::shared_ptr<const Table> before = lazy.published.load();
  if (before && before->version() == wanted) return;
  std::shared_ptr<const Table> made = kind.make(all_members(numbers), wanted, before.get());
  shared_.tables_built.fetch_add(1, std::memory_order_relaxed);
  shared_.entries_built.fetch_add(made->size(), std::memory_order_relaxed);
  lazy.published.publish(std::move(made));
}

// The members in the order of their places.
PoolTables::Instances PoolTables::all_members(const PoolNumbers& numbers) const {
  const std::shared_ptr<const Members> members = members_.load();
  Instances all;
  const std::uint32_t end = members->size();
  all.reserve(numbers.size());
  for (std::uint32_t place = 0; place < end; ++place) {
    const std::shared_ptr<Instance>& member = members->hold(place);
    if (!member->gone()) all.push_back(member);
  }
  return all;
}

template <typename Table>
void PoolTables::discard(Lazy<Table>& lazy) {
  MutexLock lock(lazy.mutex);  // a build under way would publish the old table again
  if (!lazy.published.load()) return;
  lazy.published.publish(empty(static_cast<const Table*>(nullptr)));
}

void PoolTables::discard() {
  discard(weights_);
  discard(load_weights_);
  discard(hashes_);
}

const WeightTable& PoolTables::weights(Seen<WeightTable>& seen, const PoolNumbers& numbers, const Owner& owner) {
  return current(kWeights, seen, numbers, owner);
}

const WeightTable& PoolTables::load_weights(Seen<WeightTable>& seen, const PoolNumbers& numbers, const Owner& owner) {
  return current(kLoadWeights, seen, numbers, owner);
}

const HashTable& PoolTables::hashes(Seen<HashTable>& seen, const PoolNumbers& numbers, const Owner& owner) {
  return current(kHashes, seen, numbers, owner);
}

}  // namespace azora::balancer
