#pragma once
// All registered services: by serial, by id, by the entry they come from; what each needs; how many are healthy or
// have a process; who leaves and which ids wait for that.
// Threads: the control thread. Ownership: owns the states; a reference is good until drop_ended(). Fails: check()
// alone; put() after a passed check() cannot.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "azora/base/result.hpp"
#include "azora/base/serial_map.hpp"
#include "azora/orchestrator/service_state.hpp"
#include "azora/registry/address_book.hpp"
#include "azora/registry/dependency_graph.hpp"
#include "azora/registry/registry.hpp"

namespace azora::orchestrator {

// What is known of services at all.
struct Watched {
  bool running = false;  // the orchestrator is started: services are checked and healed
  bool linked = true;    // the keeper says what becomes of processes
};

class Fleet {
 public:
  Fleet() = default;
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  // The registered service of that id; null when there is none.
  ServiceState* find(std::string_view id);
  const ServiceState* find(std::string_view id) const;
  // Also one that leaves.
  ServiceState* by_serial(std::uint64_t serial) { return services_.find(serial); }
  const ServiceState* by_serial(std::uint64_t serial) const { return services_.find(serial); }
  // Calls visit(serial, state), also for those that leave, in no order; nothing may be added or removed meanwhile.
  template <typename Visit>
  void for_each(Visit visit) {
    services_.for_each(visit);
  }
  template <typename Visit>
  void for_each(Visit visit) const {
    services_.for_each(visit);
  }
  // Calls visit(state) for each service that a name stands for: all of an entry, by index, or the one of that id.
  template <typename Visit>
  void for_each_of(std::string_view name, Visit visit) {
    for (const registry::Instance& one : registry_.services(name)) {
      if (ServiceState* service = by_serial(one.serial)) visit(*service);
    }
  }
  template <typename Visit>
  void for_each_of(std::string_view name, Visit visit) const {
    for (const registry::Instance& one : registry_.services(name)) {
      if (const ServiceState* service = by_serial(one.serial)) visit(*service);
    }
  }
  std::vector<ServiceState*> services(std::string_view name);
  std::vector<std::uint64_t> serials_in_order() const;  // of those registered

  const registry::Registry& registry() const { return registry_; }
  const registry::DependencyGraph& graph() const { return graph_; }
  // Enough instances of what it names have reached its condition. Without `leave_out`, when that is not 0.
  bool satisfied(const Dependency& dependency, std::uint64_t leave_out = 0) const;
  bool has_living_dependent(const ServiceState& service) const;
  // Direct dependents by hard edges whose process may exist.
  std::vector<std::uint64_t> living_dependents(const ServiceState& service) const;
  // The services that would feel the end of what `name` stands for, those to be stopped first come first; by hard
  // edges only. The end of one instance is not felt where enough others are left.
  std::vector<ServiceState*> all_dependents(std::string_view name);
  std::vector<std::string> living_ids() const;  // sorted

  // May these be registered, all together? Changes nothing.
  Result<void> check(const std::vector<SpecPtr>& specs) const;
  // Where we listen ourselves: no process service may have that address. Refused when one has it.
  Result<void> set_own_address(const std::string& host, std::uint16_t port);
  std::vector<registry::Registry::Change> put(const std::vector<SpecPtr>& specs);
  // The id gets a new serial: from now on it is another service.
  void renumber(std::string_view id) { registry_.renumber(id); }
  // A state for a registered service, as it is before anything is known of it.
  ServiceState& add(const registry::Entry& entry, const registry::Instance& instance, Now now);
  // What the name stands for is not registered any more; the states stay until they left. The highest index first.
  std::vector<registry::Instance> unregister(std::string_view name);

  // The service keeps its own id and `more` from starting until its process is proven gone.
  void begin_leaving(ServiceState& service, const std::vector<std::string>& more);
  // It is: answers the ids that no service keeps from starting any more. Its state goes with drop_ended().
  std::vector<std::string> end_leaving(ServiceState& service);
  void drop_ended();

  // Writes of figures so far. Any thread.
  std::uint64_t figures_written() const { return figures_.writes(); }

  // Counted as services change, so that no question walks the fleet.
  void count_status(HealthStatus before, HealthStatus after);
  void count_alive(bool before, bool after);
  std::size_t healthy() const { return healthy_; }
  std::size_t unhealthy() const { return unhealthy_; }
  std::size_t alive() const { return alive_; }  // services whose process may exist

  Watched watched() const { return watched_; }
  bool running() const { return watched_.running; }
  void set_running(bool running) { watched_.running = running; }
  void set_linked(bool linked) { watched_.linked = linked; }

 private:
  registry::Registry registry_;
  registry::AddressBook addresses_;
  registry::DependencyGraph graph_{[this](std::string_view name) -> std::optional<registry::DependencyGraph::Item> {
    const registry::Entry* entry = registry_.find(name);
    if (entry == nullptr) return std::nullopt;
    return registry::DependencyGraph::Item{entry->spec, entry->order};
  }};
  FigurePages figures_;
  SerialMap<ServiceState> services_;
  std::unordered_map<std::string, std::vector<std::uint64_t>> leaving_;  // who keeps an id from starting
  std::vector<std::uint64_t> ended_;
  std::size_t healthy_ = 0;
  std::size_t unhealthy_ = 0;
  std::size_t alive_ = 0;
  Watched watched_;
};

}  // namespace azora::orchestrator
