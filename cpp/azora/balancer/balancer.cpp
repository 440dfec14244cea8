#include "azora/balancer/balancer.hpp"

#include <utility>

#include "azora/balancer/client_key.hpp"
#include "azora/base/hash.hpp"

namespace azora::balancer {
namespace {

// A search that finds no member while something changes is repeated. It is repeated this often only when members
// change faster than one search takes.
constexpr int kMostSearches = 100;

Error no_instance(std::string_view pool) {
  return {ErrorCode::no_healthy_instance,
          "No healthy instances available for service type: " + std::string(pool), {}};
}

// The weight that this strategy uses for the instance.
double weight_for(const Instance& instance, Strategy strategy) {
  return strategy == Strategy::least_connections ? instance.load_weight() : instance.weight();
}
}  // namespace

Balancer::Balancer(BalancerOptions options)
    : shared_(std::make_shared<PoolShared>(std::move(options.worker))),
      pools_(directory_, shared_),
      leases_(std::move(options.random_bytes), options.most_leases),
      seed_(options.seed) {}

Balancer::~Balancer() = default;

// Each name has two places: a new name takes the first, and the name that was there moves to the second.
PoolHandle& Balancer::handle(std::string_view name) const {
  Handles& handles = handles_.here();
  const NameKey key(name);
  PoolHandle& first = handles[key.bucket(kHandles)];
  PoolHandle& second = handles[key.bucket(kHandles) ^ 1U];
  for (PoolHandle* place : {&first, &second}) {
    if (place->key_ == key && (key.is_whole() || place->name_ == name)) return *place;
  }
  second = std::exchange(first, PoolHandle(name));
  return first;
}

void Balancer::resolve(PoolHandle& handle) const {
  if (handle.pools_version_ == directory_.pools.version() &&
      (handle.reader_.pool || handle.ones_version_ == directory_.ones.version())) [[likely]] {
    return;
  }
  resolve_anew(handle);
}

// A version is read before the value that it numbers: a number that is too old only causes one more look.
void Balancer::resolve_anew(PoolHandle& handle) const {
  if (handle.pools_version_ == 0) {
    handle.random_ = Random(mix64(seed_ + handles_seeded_.fetch_add(1, std::memory_order_relaxed)));
  }
  handle.pools_version_ = directory_.pools.version();
  const std::shared_ptr<Pool>* pool = directory_.pools.read()->find(handle.name_);
  if (pool) {
    handle.one_ = nullptr;
    if (*pool != handle.reader_.pool) handle.reader_ = PoolReader{.pool = *pool};
    return;
  }
  handle.reader_ = PoolReader{};
  handle.ones_version_ = directory_.ones.version();
  const std::shared_ptr<Instance>* one = directory_.ones.read()->find(handle.name_);
  handle.one_ = one ? *one : nullptr;
}

Strategy Balancer::strategy_of(const PoolHandle& handle, std::optional<Strategy> asked) const {
  if (asked) return *asked;
  return handle.reader_.pool ? handle.reader_.pool->strategy() : Strategy::round_robin;
}

Instance* Balancer::choose(PoolHandle& handle, Strategy strategy, Ask& ask) const {
  PoolReader& reader = handle.reader_;
  if (!reader.pool) {
    Instance* one = handle.one_.get();
    return one && one->in(ask.among) ? one : nullptr;
  }
  for (int search = 0; search < kMostSearches; ++search) {
    const std::uint64_t epoch = reader.pool->epoch();
    reader.pool->members(reader);
    if (const std::optional<Among> among = reader.pool->among()) {
      ask.among = *among;
      Instance* found = kStrategies[static_cast<std::size_t>(strategy)](reader, ask, handle.random_);
      if (found) [[likely]] return found;
    }
    if (reader.pool->epoch() == epoch) return nullptr;
  }
  return nullptr;
}

const Instance* Balancer::pick_by_name(std::string_view pool, std::optional<Strategy> strategy, std::string_view key) {
  return pick_full(handle(pool), strategy, key);
}

const Instance* Balancer::pick_full(PoolHandle& handle, std::optional<Strategy> strategy, std::string_view key) {
  if (handle.pools_version_ == directory_.pools.version() && handle.reader_.pool) [[likely]] {
    const Instance* found = quick_pick_with_call(handle.reader_, strategy_of(handle, strategy), key, handle.random_);
    if (found) [[likely]] return found;
  }
  resolve(handle);
  const Strategy used = strategy_of(handle, strategy);
  Ask ask;
  if (used == Strategy::ip_hash) {
    if (key.empty()) return nullptr;
    ask.key_hash = key_hash(key);
  }
  return choose(handle, used, ask);
}

bool Balancer::rest_lease_hook() {
  lease_hook_busy_.store(false);
  if (leases_.size() == 0) return true;
  return lease_hook_busy_.exchange(true);  // another thread took a lease meanwhile and runs the hook
}

Result<Pick> Balancer::pick(std::string_view pool, const PickRequest& request) {
  PoolHandle& named = handle(pool);
  resolve(named);
  const Strategy used = strategy_of(named, request.strategy);
  Ask ask;
  ask.peek = request.peek;
  if (used == Strategy::ip_hash) {
    if (request.key.empty() && request.peer.empty()) {
      return Error{ErrorCode::invalid_argument,
                   "key: is empty, but the strategy ip-hash requires one (the same key gets the same instance); "
                   "pass what identifies the client, or use another strategy",
                   {}};
    }
    ask.key_hash = request.key.empty() ? peer_hash(request.peer) : key_hash(request.key);
  }
  const Instance* found = choose(named, used, ask);
  if (!found) return no_instance(pool);

  Pick pick;
  pick.instance = found->shared_from_this();
  pick.strategy = used;
  // The state at the moment of the choice: it may have changed since.
  pick.panic = ask.among == Among::alive;
  pick.tier = pick.panic                         ? found->tier()
              : ask.among == Among::degraded     ? Tier::degraded
                                                 : Tier::healthy;
  if (used == Strategy::least_connections) pick.load_source = LoadSource::leases;
  if (request.explain) pick.candidates = explain(named, used, ask.among);
  if (request.lease && !request.peek) {
    const Millis ttl =
        named.reader_.pool ? named.reader_.pool->lease_ttl() : PoolOptions{}.lease_ttl;
    Result<Lease> lease = leases_.take(pick.instance, ttl, request.now);
    if (!lease) return std::move(lease).error();
    pick.lease = std::move(lease).value();
    if (lease_hook_ && !lease_hook_busy_.exchange(true)) lease_hook_();
  }
  return pick;
}

std::vector<Candidate> Balancer::candidates(std::string_view pool, std::optional<Strategy> strategy) const {
  PoolHandle& named = handle(pool);
  resolve(named);
  return explain(named, strategy_of(named, strategy), Among::healthy);
}

std::vector<Candidate> Balancer::explain(PoolHandle& handle, Strategy strategy,
                                         Among among) const {
  std::vector<Candidate> all;
  const auto add = [&](const std::shared_ptr<const Instance>& instance) {
    if (instance->gone()) return;
    Candidate one{.instance = instance, .tier = instance->tier(), .load = instance->load(),
                  .weight = weight_for(*instance, strategy)};
    if (!instance->in(among)) {
      one.excluded =
          one.tier == Tier::degraded ? Exclusion::degraded : instance->exclusion();
    }
    all.push_back(std::move(one));
  };
  if (!handle.reader_.pool) {
    if (handle.one_) add(handle.one_);
    return all;
  }
  const Members& members = handle.reader_.pool->members(handle.reader_);
  const std::uint32_t end = members.size();
  for (std::uint32_t place = 0; place < end; ++place) add(members.hold(place));
  return all;
}

std::uint64_t Balancer::members_touched() const {
  return shared_->members_touched.load(std::memory_order_relaxed);
}

BalancerMetrics Balancer::metrics() const {
  return {.members_touched = members_touched(),
          .flaps = shared_->flaps.load(std::memory_order_relaxed),
          .names_published = shared_->names_published.load(std::memory_order_relaxed),
          .tables_built = shared_->tables_built.load(std::memory_order_relaxed),
          .table_entries_built = shared_->entries_built.load(std::memory_order_relaxed),
          .leases_taken = leases_.taken(),
          .leases_released = leases_.released(),
          .leases_expired = leases_.expired(),
          .leases_held = leases_.size()};
}

}  // namespace azora::balancer
