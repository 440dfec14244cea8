#include "azora/orchestrator/fleet.hpp"

#include <algorithm>
#include <utility>

namespace azora::orchestrator {

bool is_replica(const std::string& id) { return id.find('@') != std::string::npos; }

std::string entry_id(const std::string& id) { return id.substr(0, id.find('@')); }

ServiceState* Fleet::find(std::string_view id) {
  const registry::Entry* entry = registry_.find(id);
  return entry == nullptr ? nullptr : by_serial(entry->serial);
}

const ServiceState* Fleet::find(std::string_view id) const { return const_cast<Fleet*>(this)->find(id); }

std::vector<std::uint64_t> Fleet::serials_in_order() const {
  std::vector<std::uint64_t> serials;
  registry_.for_each([&](const registry::Entry& entry) { serials.push_back(entry.serial); });
  return serials;
}

bool Fleet::satisfied(const Dependency& dependency) const {
  const ServiceState* service = find(dependency.id);
  if (service == nullptr) return false;
  const bool up = service->ours() ? service->machine.lifecycle == Lifecycle::ready
                                  : service->status == HealthStatus::healthy ||
                                        service->status == HealthStatus::degraded;
  switch (dependency.condition) {
    case Condition::started: return up;
    case Condition::healthy: return up && service->status == HealthStatus::healthy;
    case Condition::completed: return service->machine.lifecycle == Lifecycle::done;
  }
  return false;
}

bool Fleet::has_living_dependent(const ServiceState& service) const {
  bool found = false;
  graph_.for_each_dependent(*service.id, [&](const std::string& id, const Dependency&) {
    const ServiceState* dependent = find(id);
    found = found || (dependent != nullptr && dependent->alive());
  });
  return found;
}

std::vector<std::uint64_t> Fleet::living_dependents(const ServiceState& service) const {
  std::vector<std::uint64_t> serials;
  graph_.for_each_dependent(*service.id, [&](const std::string& id, const Dependency& dependency) {
    const ServiceState* other = find(id);
    if (dependency.strength == Strength::hard && other != nullptr && other->alive()) serials.push_back(other->serial);
  });
  return serials;
}

std::vector<std::string> Fleet::living_ids() const {
  std::vector<std::string> ids;
  services_.for_each([&](std::uint64_t, const ServiceState& service) {
    if (service.alive()) ids.push_back(*service.id);
  });
  std::sort(ids.begin(), ids.end());
  return ids;
}

Result<void> Fleet::check(const std::vector<SpecPtr>& specs) const {
  if (Result<void> fine = registry_.check(specs); !fine) return fine;
  return graph_.check(specs);
}

std::vector<registry::Registry::Put> Fleet::put(std::vector<SpecPtr> specs) {
  std::vector<registry::DependencyGraph::Item> items;
  std::vector<registry::Registry::Put> put;
  for (SpecPtr& spec : specs) {
    put.push_back(registry_.put(std::move(spec)));
    items.push_back({put.back().entry->spec, put.back().entry->order});
  }
  graph_.put(items);
  return put;
}

ServiceState& Fleet::add(const registry::Entry& entry, Now now) {
  ServiceState& service = services_[entry.serial];
  service.serial = entry.serial;
  service.order = entry.order;
  service.generation = entry.generation;
  service.spec = entry.spec;
  if (service.ours()) service.own = OwnFacts{};
  service.id = std::make_shared<const std::string>(entry.spec->id);
  service.figures = figures_.make();
  service.figures->begin(now.wall);
  service.start_time = now.wall;
  service.start_steady = now.steady;
  service.held_back = leaving_.contains(*service.id);
  if (is_replica(*service.id)) replicas_[entry_id(*service.id)].insert(service.serial);
  service.machine.lifecycle = service.process() ? Lifecycle::idle
                              : service.ours()  ? Lifecycle::ready
                                                : Lifecycle::watching;
  if (!service.process()) service.machine.desired = Desired::up;
  return service;
}

void Fleet::unregister(const std::string& id) {
  registry_.erase(id);
  graph_.erase(id);
}

std::vector<ServiceState*> Fleet::replicas_of(const std::string& entry) {
  std::vector<ServiceState*> services;
  if (const auto found = replicas_.find(entry); found != replicas_.end()) {
    for (const std::uint64_t serial : found->second) services.push_back(by_serial(serial));
  }
  return services;
}

void Fleet::begin_leaving(ServiceState& service, const std::vector<std::string>& more) {
  count_status(service.status, HealthStatus::unknown);
  service.leaving = true;
  service.wanted = Desired::down;
  service.waiting_ids = {*service.id};
  service.waiting_ids.insert(service.waiting_ids.end(), more.begin(), more.end());
  for (const std::string& id : service.waiting_ids) leaving_[id].push_back(service.serial);
  if (const auto found = replicas_.find(entry_id(*service.id)); found != replicas_.end()) {
    found->second.erase(service.serial);
    if (found->second.empty()) replicas_.erase(found);
  }
}

std::vector<std::string> Fleet::end_leaving(ServiceState& service) {
  std::vector<std::string> freed;
  for (const std::string& id : service.waiting_ids) {
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
