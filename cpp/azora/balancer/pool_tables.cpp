// The tables of a pool: made when first needed, made anew when a pick finds them stale. Until then
// the old one serves; members that left the pool are skipped in it, since their state excludes them.
#include "azora/balancer/pool.hpp"

#include <type_traits>
#include <utility>

namespace azora::balancer {
namespace {

// Tables over that many members are made in a few microseconds (weights) or some tens (hashes, the
// smallest size): not worth a visit to another thread, and exact at once.
constexpr std::size_t kSmallWeights = 256;
constexpr std::size_t kSmallHashes = 16;

}  // namespace

template <typename Table>
const Table& Pool::current(Lazy<Table> Pool::* which, Seen<Table>& seen,
                           const std::atomic<std::uint64_t>& wanted, Build<Table> build,
                           std::size_t small) {
  (this->*which).published.refresh(seen);
  if (!seen.value || seen.value->version() != wanted.load(std::memory_order_acquire)) [[unlikely]] {
    renew(which, seen, wanted, build, small);
  }
  return *seen.value;
}

template <typename Table>
void Pool::renew(Lazy<Table> Pool::* which, Seen<Table>& seen,
                 const std::atomic<std::uint64_t>& wanted, Build<Table> build, std::size_t small) {
  Lazy<Table>& lazy = this->*which;
  if (!seen.value || size() <= small || !shared_->worker) {
    rebuild(lazy, wanted, build);
    lazy.published.refresh(seen);
    return;
  }
  if (lazy.asked.exchange(true, std::memory_order_acq_rel)) return;
  shared_->worker([weak = weak_from_this(), which, build, &wanted] {
    const std::shared_ptr<Pool> pool = weak.lock();
    if (!pool) return;
    Lazy<Table>& mine = (*pool).*which;
    // First, so that what changes during the build asks again.
    mine.asked.store(false, std::memory_order_release);
    pool->rebuild(mine, wanted, build);
  });
}

template <typename Table>
void Pool::rebuild(Lazy<Table>& lazy, const std::atomic<std::uint64_t>& wanted,
                   Build<Table> build) {
  MutexLock lock(lazy.mutex);
  const std::shared_ptr<const Table> before = lazy.published.load();
  if (before && before->version() == wanted.load(std::memory_order_acquire)) return;
  std::shared_ptr<const Table> made = (this->*build)(before.get());
  shared_->tables_built.fetch_add(1, std::memory_order_relaxed);
  shared_->entries_built.fetch_add(made->size(), std::memory_order_relaxed);
  lazy.published.publish(std::move(made));
}

template <typename Table>
void Pool::discard(Lazy<Table>& lazy) {
  MutexLock lock(lazy.mutex);  // a build under way would bring the old one back
  if (!lazy.published.load()) return;
  if constexpr (std::is_same_v<Table, HashTable>) {
    lazy.published.publish(std::make_shared<const Table>(std::vector<std::shared_ptr<Instance>>{}, 0, 0));
  } else {
    lazy.published.publish(std::make_shared<const Table>(std::vector<WeightTable::Entry>{}, 0, nullptr));
  }
}

void Pool::discard_tables() {
  discard(weights_);
  discard(load_weights_);
  discard(hashes_);
}

const WeightTable& Pool::weights(PoolReader& reader) {
  return current(&Pool::weights_, reader.weights, weight_version_, &Pool::build_weights,
                 kSmallWeights);
}

const WeightTable& Pool::load_weights(PoolReader& reader) {
  return current(&Pool::load_weights_, reader.load_weights, weight_version_,
                 &Pool::build_load_weights, kSmallWeights);
}

const HashTable& Pool::hashes(PoolReader& reader) {
  return current(&Pool::hashes_, reader.hashes, membership_version_, &Pool::build_hashes,
                 kSmallHashes);
}

// The members in the order of their places.
std::vector<std::shared_ptr<Instance>> Pool::all_members() const {
  const std::shared_ptr<const Members> members = members_.load();
  std::vector<std::shared_ptr<Instance>> all;
  const std::uint32_t end = members->size();
  all.reserve(size());
  for (std::uint32_t place = 0; place < end; ++place) {
    const std::shared_ptr<Instance>& member = members->hold(place);
    if (!member->gone()) all.push_back(member);
  }
  return all;
}

// The version is read before the members: a change in between makes the table stale, not wrong.
std::shared_ptr<const WeightTable> Pool::build_weights(const WeightTable* before) {
  const std::uint64_t version = weight_version_.load(std::memory_order_acquire);
  std::vector<WeightTable::Entry> entries;
  for (std::shared_ptr<Instance>& member : all_members()) {
    const double weight = member->weight();
    entries.push_back({std::move(member), weight});
  }
  return std::make_shared<const WeightTable>(entries, version, before);
}

std::shared_ptr<const WeightTable> Pool::build_load_weights(const WeightTable* before) {
  const std::uint64_t version = weight_version_.load(std::memory_order_acquire);
  std::vector<WeightTable::Entry> entries;
  for (std::shared_ptr<Instance>& member : all_members()) {
    const double weight = member->load_weight();
    entries.push_back({std::move(member), weight});
  }
  return std::make_shared<const WeightTable>(entries, version, before);
}

std::shared_ptr<const HashTable> Pool::build_hashes(const HashTable* before) {
  const std::uint64_t version = membership_version_.load(std::memory_order_acquire);
  return std::make_shared<const HashTable>(all_members(), version, before ? before->slots() : 0);
}

}  // namespace azora::balancer
