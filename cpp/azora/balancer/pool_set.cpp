#include "azora/balancer/pool_set.hpp"

#include <utility>

#include "azora/model/spec_fields.hpp"

namespace azora::balancer {
namespace {

constexpr Millis kLongestTtl{2'147'483'647};

bool same_place(const ServiceSpec& a, const ServiceSpec& b) {
  return a.id == b.id && a.type == b.type && a.group() == b.group() &&
         a.explicit_group == b.explicit_group && a.endpoint->text == b.endpoint->text;
}

// Whether its type or its group makes the service a member of the pool of that name. The group of an entry with
// replicas gives way to a type of the same name.
bool belongs_to(const ServiceSpec& spec, const std::string& pool, bool is_type) {
  return spec.type == pool || (spec.group() == pool && (spec.explicit_group || (!spec.is_alone() && !is_type)));
}

}  // namespace

PoolSet::PoolSet(Directory& directory, std::shared_ptr<PoolShared> shared)
    : directory_(directory),
      shared_(std::move(shared)),
      pools_(directory.pools.take()->edit()),
      ones_(directory.ones.take()->edit()) {}

std::array<const std::string*, 2> PoolSet::names_of(const ServiceSpec& spec) {
  return {&*spec.type, spec.is_alone() ? &spec.id : &spec.group()};
}

Instance* PoolSet::find(std::uint64_t serial) {
  const std::shared_ptr<Instance>* found = services_.find(serial);
  return found ? found->get() : nullptr;
}

std::uint32_t PoolSet::take_slot() {
  if (free_slots_.empty()) return slots_++;
  const std::uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  return slot;
}

void PoolSet::put(std::uint64_t serial, const SpecPtr& spec) {
  if (!spec->endpoint) return remove(serial);
  std::shared_ptr<Instance>& service = services_[serial];
  if (service && same_place(service->spec(), *spec)) return reweigh(*service, *spec);
  const std::shared_ptr<Instance> before = std::move(service);
  const auto next = std::make_shared<Instance>(serial, spec, take_slot());
  next->weight_.store(spec->effective_weight(), std::memory_order_relaxed);
  next->explicit_weight_.store(spec->weight.has_value(), std::memory_order_relaxed);
  next->facts_.weightless = spec->effective_weight() == 0;
  if (before) {
    next->facts_.admin = before->facts_.admin;
    next->ramp_.store(before->ramp_.load(std::memory_order_relaxed), std::memory_order_relaxed);
    retire(*before);
    count(before->spec(), -1);
  }
  count(*spec, +1);
  service = next;
  publish_standing(*next);
  if (before && before->spec().is_alone() && owner_of(before->id()) == before) {
    ones_.erase(before->id());
    ++ones_changed_;
  }
  if (spec->is_alone()) {
    ones_.set(next);
    ++ones_changed_;
  }
  if (before) {
    for (const std::string* name : names_of(before->spec())) {
      reconcile(*name, spec.get(), before.get(), next);
    }
  }
  for (const std::string* name : names_of(*spec)) {
    reconcile(*name, spec.get(), before.get(), next);
  }
}

void PoolSet::remove(std::uint64_t serial) {
  std::shared_ptr<Instance>* found = services_.find(serial);
  if (!found) return;
  const std::shared_ptr<Instance> service = std::move(*found);
  services_.erase(serial);
  const ServiceSpec& spec = service->spec();
  retire(*service);
  count(spec, -1);
  if (spec.is_alone() && owner_of(spec.id) == service) {
    ones_.erase(spec.id);
    ++ones_changed_;
  }
  for (const std::string* name : names_of(spec)) {
    reconcile(*name, nullptr, service.get(), nullptr);
  }
}

// No pick finds it from here on, and its leases are over.
void PoolSet::retire(Instance& instance) {
  instance.facts_.why = Exclusion::gone;
  publish_standing(instance);
  instance.end_leases();
  free_slots_.push_back(instance.slot());
}

void PoolSet::count(const ServiceSpec& spec, int change) {
  names_[spec.type].types += static_cast<std::uint32_t>(change);
  if (spec.is_alone()) return;
  Name& group = names_[spec.group()];
  (spec.explicit_group ? group.groups : group.replicas) += static_cast<std::uint32_t>(change);
}

std::shared_ptr<Instance> PoolSet::owner_of(const std::string& name) const {
  const std::shared_ptr<Instance>* found = ones_.find(name);
  return found ? *found : nullptr;
}

// Updates the pool of a name after a change of one service. `before`: its former instance, which is gone; `next`: its
// new one, made of `spec`; null: none.
void PoolSet::reconcile(const std::string& name, const ServiceSpec* spec, Instance* before,
                        const std::shared_ptr<Instance>& next) {
  const auto found = names_.find(name);
  if (found == names_.end()) return;
  Name& entry = found->second;
  const std::shared_ptr<Instance> owner = owner_of(name);
  const bool is_type = entry.types > 0;
  // A type of that name excludes the service that only has the name as its id.
  const bool includes_owner = owner && !is_type && (entry.groups > 0 || entry.replicas > 0 || entry.configured);
  const bool stored = is_type || entry.groups > 0 || entry.replicas > 0 || includes_owner;
  if (stored && !entry.pool) {
    entry.pool = std::make_shared<Pool>(name, entry.options, shared_);
    pools_.set(entry.pool);
    ++pools_changed_;
  }
  if (entry.pool) {
    Pool& pool = *entry.pool;
    const bool belongs = next && (belongs_to(*spec, name, is_type) || (includes_owner && owner == next));
    const bool was = before && before->in_pool(&pool);
    if (was && belongs) {
      pool.replace(*before, next);
    } else if (was) {
      pool.leave(*before);
    } else if (belongs && !next->in_pool(&pool)) {
      pool.join(next);
    }
    if (owner && owner != next) {
      const bool in = owner->in_pool(&pool);
      if (includes_owner && !in) pool.join(owner);
      if (!includes_owner && in && !belongs_to(owner->spec(), name, is_type)) {
        pool.leave(*owner);
      }
    }
    if (std::exchange(entry.is_type, is_type) != is_type && entry.replicas > 0) regroup(name, entry);
  }
  if (stored) return;
  if (entry.pool) {
    entry.pool = nullptr;
    pools_.erase(name);
    ++pools_changed_;
  }
  if (!entry.configured) names_.erase(found);
}

// The name is now that of a type, or no longer is: the replicas of an entry of that name leave its pool, or come back.
void PoolSet::regroup(const std::string& name, Name& entry) {
  services_.for_each([&](std::uint64_t, const std::shared_ptr<Instance>& one) {
    if (one->spec().group() != name || one->spec().is_alone()) return;
    const bool belongs = belongs_to(one->spec(), name, entry.is_type);
    if (belongs == one->in_pool(entry.pool.get())) return;
    belongs ? entry.pool->join(one) : entry.pool->leave(*one);
  });
}

void PoolSet::set_tier(std::uint64_t serial, Tier tier, std::uint64_t incarnation, Exclusion why) {
  Instance* instance = find(serial);
  if (!instance) return;
  const bool another_life = instance->incarnation() != incarnation;
  instance->incarnation_.store(incarnation, std::memory_order_relaxed);
  instance->facts_.tier = tier;
  instance->facts_.why = tier == Tier::excluded ? why : Exclusion::none;
  // A lease must neither be taken in the old life after its end nor be lost from the new one.
  if (another_life && tier != Tier::excluded) instance->end_leases();
  publish_standing(*instance);
  if (tier == Tier::excluded && (another_life || why == Exclusion::stopped)) {
    instance->end_leases();
  }
}

void PoolSet::set_admin(std::uint64_t serial, Admin admin) {
  Instance* instance = find(serial);
  if (!instance) return;
  instance->facts_.admin = admin;
  publish_standing(*instance);
}

std::uint32_t PoolSet::leases(std::uint64_t serial) const {
  const std::shared_ptr<Instance>* found = services_.find(serial);
  return found ? (*found)->load() : 0;
}

void PoolSet::eject(std::uint64_t serial, SteadyTime until) {
  Instance* instance = find(serial);
  if (!instance) return;
  instance->facts_.ejected = true;
  instance->ejected_until_ns_.store(until.time_since_epoch().count(), std::memory_order_relaxed);
  publish_standing(*instance);
}

void PoolSet::readmit(std::uint64_t serial) {
  Instance* instance = find(serial);
  if (!instance) return;
  instance->facts_.ejected = false;
  instance->ejected_until_ns_.store(0, std::memory_order_relaxed);
  publish_standing(*instance);
}

void PoolSet::set_ramp(std::uint64_t serial, double factor) {
  Instance* instance = find(serial);
  if (!instance || instance->ramp_.load(std::memory_order_relaxed) == factor) return;
  instance->ramp_.store(factor, std::memory_order_relaxed);
  for (const Instance::Membership& one : instance->memberships_) {
    if (one.pool) one.pool->reweigh(0);
  }
}

void PoolSet::reweigh(Instance& instance, const ServiceSpec& spec) {
  const double weight = spec.effective_weight();
  const bool was = instance.explicit_weight();
  const bool is = spec.weight.has_value();
  if (weight == instance.weight_.load(std::memory_order_relaxed) && was == is) return;
  instance.weight_.store(weight, std::memory_order_relaxed);
  instance.explicit_weight_.store(is, std::memory_order_relaxed);
  instance.facts_.weightless = weight == 0;
  publish_standing(instance);
  for (const Instance::Membership& one : instance.memberships_) {
    if (one.pool) one.pool->reweigh((is ? 1 : 0) - (was ? 1 : 0));
  }
}

// One atomic store makes the change visible to every picker; bits and counts follow.
void PoolSet::publish_standing(Instance& instance) {
  if (!instance.apply_standing()) return;
  for (const Instance::Membership& one : instance.memberships_) {
    if (one.pool) one.pool->refresh(instance);
  }
}

Result<void> PoolSet::configure(std::string_view name, const PoolChange& change) {
  if (!is_word(name)) {
    return Error{ErrorCode::invalid_argument,
                 "pool \"" + std::string(name) + "\" cannot exist: a pool has the name of a type, a group or a service, "
                 "1 to 63 letters, digits, \".\", \"_\" or \"-\" that begins with a letter or digit",
                 {}};
  }
  if (change.panic_threshold && !(*change.panic_threshold >= 0 && *change.panic_threshold <= 1)) {
    return Error{ErrorCode::invalid_argument,
                 "panicThreshold must be a share of the pool from 0 (off) to 1, not " +
                     std::to_string(*change.panic_threshold),
                 {}};
  }
  if (change.lease_ttl && (*change.lease_ttl < Millis(1) || *change.lease_ttl > kLongestTtl)) {
    return Error{ErrorCode::invalid_argument,
                 "leaseTtl must be from 1 to 2147483647 ms, not " +
                     std::to_string(change.lease_ttl->count()),
                 {}};
  }
  const std::string known(name);
  Name& entry = names_[known];
  entry.configured = true;
  if (change.strategy) entry.options.strategy = *change.strategy;
  if (change.allow_degraded) entry.options.allow_degraded = *change.allow_degraded;
  if (change.panic_threshold) entry.options.panic_threshold = *change.panic_threshold;
  if (change.lease_ttl) entry.options.lease_ttl = *change.lease_ttl;
  if (entry.pool) entry.pool->configure(entry.options);
  reconcile(known, nullptr, nullptr, nullptr);
  return {};
}

void PoolSet::publish() {
  if (pools_changed_ > 0) directory_.pools.publish(std::make_shared<const Directory::Pools>(pools_.done()));
  if (ones_changed_ > 0) directory_.ones.publish(std::make_shared<const Directory::Ones>(ones_.done()));
  shared_->names_published.fetch_add(pools_changed_ + ones_changed_, std::memory_order_relaxed);
  pools_changed_ = 0;
  ones_changed_ = 0;
}

}  // namespace azora::balancer
