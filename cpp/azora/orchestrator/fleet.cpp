#include "azora/orchestrator/fleet.hpp"

#include <algorithm>
#include <utility>

namespace azora::orchestrator {

namespace {

bool has_reached(const ServiceState& service, Condition condition) {
  const bool up = service.acts() ? service.machine.lifecycle == Lifecycle::ready
                                 : service.status == HealthStatus::healthy || service.status == HealthStatus::degraded;
  switch (condition) {
    case Condition::started: return up;
    case Condition::healthy: return up && service.status == HealthStatus::healthy;
    case Condition::completed: return service.machine.lifecycle == Lifecycle::done;
  }
  return false;
}

}  // namespace

ServiceState* Fleet::find(std::string_view id) {
  const registry::Instance* instance = registry_.find_service(id);
  return instance == nullptr ? nullptr : by_serial(instance->serial);
}

const ServiceState* Fleet::find(std::string_view id) const { return const_cast<Fleet*>(this)->find(id); }

std::vector<ServiceState*> Fleet::services(std::string_view name) {
  std::vector<ServiceState*> found;
  for_each_of(name, [&](ServiceState& service) { found.push_back(&service); });
  return found;
}

std::vector<std::uint64_t> Fleet::serials_in_order() const {
  std::vector<std::uint64_t> serials;
  registry_.for_each([&](const registry::Entry& entry) {
    for (const registry::Instance& one : entry.instances) serials.push_back(one.serial);
  });
  return serials;
}

bool Fleet::satisfied(const Dependency& dependency, std::uint64_t leave_out) const {
  int reached = 0;
  for_each_of(dependency.id, [&](const ServiceState& service) {
    if (service.serial != leave_out && has_reached(service, dependency.condition)) ++reached;
  });
  return reached >= dependency.min;
}

bool Fleet::has_living_dependent(const ServiceState& service, StopScope scope) const {
  bool found = false;
  graph_.for_each_dependent(*service.id, [&](const std::string& entry, const Dependency&) {
    control_thread.assert_held();
    if (found) return;
    for_each_of(entry, [&](const ServiceState& dependent) {
      found = found || (dependent.alive() && is_within(dependent, scope));
    });
  });
  return found;
}

std::vector<std::uint64_t> Fleet::living_dependents(const ServiceState& service) const {
  std::vector<std::uint64_t> serials;
  graph_.for_each_dependent(*service.id, [&](const std::string& entry, const Dependency& dependency) {
    control_thread.assert_held();
    if (dependency.strength != Strength::hard) return;
    for_each_of(entry, [&](const ServiceState& one) {
      if (one.alive() && !one.maintained()) serials.push_back(one.serial);
    });
  });
  return serials;
}

std::vector<ServiceState*> Fleet::all_dependents(std::string_view name) {
  const ServiceState* instance = registry_.find(name) == nullptr ? find(name) : nullptr;
  const auto feels = [&](const Dependency& dependency) {
    control_thread.assert_held();
    return instance == nullptr || dependency.id == name || !satisfied(dependency, instance->serial);
  };
  std::vector<ServiceState*> found;
  for (const std::string& entry : graph_.all_dependents(name, feels)) {
    for_each_of(entry, [&](ServiceState& service) { found.push_back(&service); });
  }
  return found;
}

std::vector<std::string> Fleet::living_ids(StopScope scope) const {
  std::vector<std::string> ids;
  services_.for_each([&](std::uint64_t, const ServiceState& service) {
    if (service.alive() && is_within(service, scope)) ids.push_back(*service.id);
  });
  std::sort(ids.begin(), ids.end());
  return ids;
}

bool Fleet::has_living(StopScope scope) const {
  if (alive_ == 0 || scope == StopScope::all) return alive_ != 0;
  bool found = false;
  services_.for_each([&](std::uint64_t, const ServiceState& service) {
    found = found || (service.alive() && is_within(service, scope));
  });
  return found;
}

Result<void> Fleet::check_size(const std::vector<SpecPtr>& specs, const std::vector<SpecPtr>& entries) const {
  std::size_t after = registry_.size() + specs.size();
  if (after <= most_services_) return {};
  for (const SpecPtr& entry : entries) after -= registry_.services(entry->id).size();  // overwritten
  if (after <= most_services_) return {};
  return Error{ErrorCode::limit_reached,
               "there would be " + std::to_string(after) + " services; the limit is " + std::to_string(most_services_), {}};
}

Result<void> Fleet::check(const std::vector<SpecPtr>& specs) const {
  const std::vector<SpecPtr> entries = registry::entries_of(specs);
  if (Result<void> fine = registry_.check(entries); !fine) return fine;
  if (Result<void> fine = check_size(specs, entries); !fine) return fine;
  if (Result<void> fine = addresses_.check(specs); !fine) return fine;
  return graph_.check(entries);
}

Result<void> Fleet::set_own_address(const std::string& host, std::uint16_t port) {
  std::vector<Fault> faults;
  std::vector<SpecPtr> services;
  registry_.for_each([&](const registry::Entry& entry) {
    for (const registry::Instance& one : entry.instances) services.push_back(one.spec);
  });
  for (auto& conflict : addresses_.conflicts_with(host, port, services)) {
    faults.push_back({"endpoint", std::move(conflict.message)});
  }
  if (!faults.empty()) return spec_error(std::move(faults));
  addresses_.set_own(host, port);
  return {};
}

std::vector<registry::Registry::Change> Fleet::put(const std::vector<SpecPtr>& specs) {
  std::vector<registry::DependencyGraph::Item> items;
  std::vector<registry::Registry::Change> changes;
  for (const auto& services : registry::split_by_entry(specs)) {
    changes.push_back(registry_.put(services));
    for (const SpecPtr& before : changes.back().replaced) {
      if (before) addresses_.erase(*before);
    }
    for (const registry::Instance& one : changes.back().removed) addresses_.erase(*one.spec);
    for (const SpecPtr& service : services) addresses_.put(service);
    items.push_back({changes.back().entry->spec, changes.back().entry->order});
  }
  graph_.put(items);
  return changes;
}

void Fleet::restore(std::vector<registry::Entry> entries, std::uint64_t last_serial, std::uint64_t next_order) {
  std::vector<registry::DependencyGraph::Item> items;
  registry_.begin_after(last_serial, next_order);
  for (registry::Entry& entry : entries) {
    for (const registry::Instance& one : entry.instances) addresses_.put(one.spec);
    items.push_back({entry.spec, entry.order});
    registry_.restore(std::move(entry));
  }
  graph_.put(items);
}

ServiceState& Fleet::add_leaving(const SpecPtr& spec, std::uint64_t serial, const std::vector<std::string>& waiting_ids, Now now) {
  ServiceState& service = add({.spec = spec, .instances = {}}, {.spec = spec, .serial = serial, .order = 0}, now);
  service.leaving = true;
  service.wanted = Desired::down;
  for (const std::string& id : waiting_ids) leaving_[id].push_back(serial);
  return service;
}

ServiceState& Fleet::add(const registry::Entry& entry, const registry::Instance& instance, Now now) {
  ServiceState& service = services_[instance.serial];
  service.serial = instance.serial;
  service.order = instance.order;
  service.generation = entry.generation;
  service.spec = instance.spec;
  if (service.acts()) service.own = OwnFacts{};
  service.id = std::make_shared<const std::string>(instance.spec->id);
  service.figures = figures_.make();
  service.figures->begin(now.wall);
  service.start_time = now.wall;
  service.start_steady = now.steady;
  service.held_back = leaving_.contains(*service.id);
  service.machine.lifecycle = service.owned()  ? Lifecycle::idle
                              : service.acts() ? Lifecycle::ready
                                               : Lifecycle::watching;
  if (!service.owned()) service.machine.desired = Desired::up;
  return service;
}

std::vector<registry::Instance> Fleet::unregister(std::string_view name) {
  const std::vector<registry::Instance> erased = registry_.erase(name);
  for (const registry::Instance& one : erased) addresses_.erase(*one.spec);
  if (!erased.empty() && registry_.find(erased.front().spec->entry_id()) == nullptr) {
    graph_.erase(erased.front().spec->entry_id());
  }
  return erased;
}

void Fleet::begin_leaving(ServiceState& service, const std::vector<std::string>& more) {
  count_status(service.status, HealthStatus::unknown);
  service.leaving = true;
  service.wanted = Desired::down;
  service.owner = {};
  std::vector<std::string> ids = {*service.id};
  ids.insert(ids.end(), more.begin(), more.end());
  for (const std::string& id : ids) leaving_[id].push_back(service.serial);
  service.waiting_ids = std::move(ids);
}

std::vector<std::string> Fleet::end_leaving(ServiceState& service) {
  std::vector<std::string> freed;
  for (const std::string& id : service.waiting_ids.get()) {
    auto& serials = leaving_[id];
    std::erase(serials, service.serial);
    if (!serials.empty()) continue;
    leaving_.erase(id);
    freed.push_back(id);
  }
  ended_.push_back(service.serial);
  return freed;
}

void Fleet::drop_ended() {
  for (const std::uint64_t serial : std::exchange(ended_, {})) services_.erase(serial);
}

void Fleet::count_status(HealthStatus before, HealthStatus after) {
  healthy_ += (after == HealthStatus::healthy ? 1U : 0U);
  healthy_ -= (before == HealthStatus::healthy ? 1U : 0U);
  unhealthy_ += (after == HealthStatus::unhealthy ? 1U : 0U);
  unhealthy_ -= (before == HealthStatus::unhealthy ? 1U : 0U);
}

void Fleet::count_alive(bool before, bool after) {
  alive_ += after ? 1U : 0U;
  alive_ -= before ? 1U : 0U;
}

}  // namespace azora::orchestrator
