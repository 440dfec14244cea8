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
#include "azora/base/thread_role.hpp"
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
  ServiceState* find(std::string_view id) AZORA_CONTROL;
  const ServiceState* find(std::string_view id) const AZORA_CONTROL;
  // Also one that leaves.
  ServiceState* by_serial(std::uint64_t serial) AZORA_CONTROL { return services_.find(serial); }
  const ServiceState* by_serial(std::uint64_t serial) const AZORA_CONTROL { return services_.find(serial); }
  // Calls visit(serial, state), also for those that leave, in no order; nothing may be added or removed meanwhile.
  template <typename Visit>
  void for_each(Visit visit) AZORA_CONTROL {
    services_.for_each(visit);
  }
  template <typename Visit>
  void for_each(Visit visit) const AZORA_CONTROL {
    services_.for_each(visit);
  }
  // Calls visit(state) for each service that a name stands for: all of an entry, by index, or the one of that id.
  template <typename Visit>
  void for_each_of(std::string_view name, Visit visit) AZORA_CONTROL {
    for (const registry::Instance& one : registry_.services(name)) {
      if (ServiceState* service = by_serial(one.serial)) visit(*service);
    }
  }
  template <typename Visit>
  void for_each_of(std::string_view name, Visit visit) const AZORA_CONTROL {
    for (const registry::Instance& one : registry_.services(name)) {
      if (const ServiceState* service = by_serial(one.serial)) visit(*service);
    }
  }
  std::vector<ServiceState*> services(std::string_view name) AZORA_CONTROL;
  std::vector<std::uint64_t> serials_in_order() const AZORA_CONTROL;  // of those registered

  const registry::Registry& registry() const AZORA_CONTROL { return registry_; }
  const registry::DependencyGraph& graph() const AZORA_CONTROL { return graph_; }
  // Enough instances of what it names have reached its condition. Without `leave_out`, when that is not 0.
  bool satisfied(const Dependency& dependency, std::uint64_t leave_out = 0) const AZORA_CONTROL;
  bool has_living_dependent(const ServiceState& service) const AZORA_CONTROL;
  // Direct dependents by hard edges whose process may exist.
  std::vector<std::uint64_t> living_dependents(const ServiceState& service) const AZORA_CONTROL;
  // The services that would feel the end of what `name` stands for, those to be stopped first come first; by hard
  // edges only. The end of one instance is not felt where enough others are left.
  std::vector<ServiceState*> all_dependents(std::string_view name) AZORA_CONTROL;
  std::vector<std::string> living_ids() const AZORA_CONTROL;  // sorted

  // May these be registered, all together? Changes nothing.
  Result<void> check(const std::vector<SpecPtr>& specs) const AZORA_CONTROL;
  // Where we listen ourselves: no process service may have that address. Refused when one has it.
  Result<void> set_own_address(const std::string& host, std::uint16_t port) AZORA_CONTROL;
  std::vector<registry::Registry::Change> put(const std::vector<SpecPtr>& specs) AZORA_CONTROL;
  // The id gets a new serial: from now on it is another service.
  void renumber(std::string_view id) AZORA_CONTROL { registry_.renumber(id); }
  // A state for a registered service, as it is before anything is known of it.
  ServiceState& add(const registry::Entry& entry, const registry::Instance& instance, Now now) AZORA_CONTROL;
  // What the name stands for is not registered any more; the states stay until they left. The highest index first.
  std::vector<registry::Instance> unregister(std::string_view name) AZORA_CONTROL;

  // The service keeps its own id and `more` from starting until its process is proven gone.
  void begin_leaving(ServiceState& service, const std::vector<std::string>& more) AZORA_CONTROL;
  // It is: answers the ids that no service keeps from starting any more. Its state goes with drop_ended().
  std::vector<std::string> end_leaving(ServiceState& service) AZORA_CONTROL;
  void drop_ended() AZORA_CONTROL;

  // Writes of figures so far. Any thread.
  std::uint64_t figures_written() const { return figures_.writes(); }

  // Counted as services change, so that no question walks the fleet.
  void count_status(HealthStatus before, HealthStatus after) AZORA_CONTROL;
  void count_alive(bool before, bool after) AZORA_CONTROL;
  std::size_t healthy() const AZORA_CONTROL { return healthy_; }
  std::size_t unhealthy() const AZORA_CONTROL { return unhealthy_; }
  std::size_t alive() const AZORA_CONTROL { return alive_; }  // services whose process may exist

  Watched watched() const AZORA_CONTROL { return watched_; }
  bool running() const AZORA_CONTROL { return watched_.running; }
  void set_running(bool running) AZORA_CONTROL { watched_.running = running; }
  void set_linked(bool linked) AZORA_CONTROL { watched_.linked = linked; }

 private:
  registry::Registry registry_ AZORA_OF_CONTROL;
  registry::AddressBook addresses_ AZORA_OF_CONTROL;
  using Item = registry::DependencyGraph::Item;
  registry::DependencyGraph graph_ AZORA_OF_CONTROL{[this](std::string_view name) -> std::optional<Item> {
    control_thread.assert_held();
    const registry::Entry* entry = registry_.find(name);
    if (entry == nullptr) return std::nullopt;
    return Item{entry->spec, entry->order};
  }};
  FigurePages figures_;
  SerialMap<ServiceState> services_ AZORA_OF_CONTROL;
  // Who keeps an id from starting.
  std::unordered_map<std::string, std::vector<std::uint64_t>> leaving_ AZORA_OF_CONTROL;
  std::vector<std::uint64_t> ended_ AZORA_OF_CONTROL;
  std::size_t healthy_ AZORA_OF_CONTROL = 0;
  std::size_t unhealthy_ AZORA_OF_CONTROL = 0;
  std::size_t alive_ AZORA_OF_CONTROL = 0;
  Watched watched_ AZORA_OF_CONTROL;
};

}  // namespace azora::orchestrator
