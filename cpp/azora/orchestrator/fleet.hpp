#pragma once
// All registered services by serial, by id and by their entry; the dependencies of each; how many are healthy or have a
// process; which services are leaving and which ids wait for them.
// Threads: the control thread. Ownership: owns the states; a reference is valid until drop_ended(). Fails: only
// check(); put() cannot fail after check() has passed.
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
#include "azora/orchestrator/stop_scope.hpp"
#include "azora/registry/address_book.hpp"
#include "azora/registry/dependency_graph.hpp"
#include "azora/registry/registry.hpp"

namespace azora::orchestrator {

// Which facts about services are known at this time.
struct Watched {
  bool running = false;  // the orchestrator is started: services are checked and healed
  bool linked = true;    // the keeper reports what happens to processes
};

class Fleet {
 public:
  static constexpr std::size_t kMostServices = 200'000;  // instances count each

  explicit Fleet(std::size_t most_services = kMostServices) : most_services_(most_services) {}
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  // The registered service with that id; null: there is none.
  ServiceState* find(std::string_view id) AZORA_CONTROL;
  const ServiceState* find(std::string_view id) const AZORA_CONTROL;
  // Also finds a service that is leaving.
  ServiceState* by_serial(std::uint64_t serial) AZORA_CONTROL { return services_.find(serial); }
  const ServiceState* by_serial(std::uint64_t serial) const AZORA_CONTROL { return services_.find(serial); }
  // Calls visit(serial, state) in no order, also for services that leave. It must not add or remove services.
  template <typename Visit>
  void for_each(Visit visit) AZORA_CONTROL {
    services_.for_each(visit);
  }
  template <typename Visit>
  void for_each(Visit visit) const AZORA_CONTROL {
    services_.for_each(visit);
  }
  // Calls visit(state) for each service that a name stands for: all of an entry, by index, or the one with that id.
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
  std::vector<std::uint64_t> serials_in_order() const AZORA_CONTROL;  // of registered services

  const registry::Registry& registry() const AZORA_CONTROL { return registry_; }
  const registry::DependencyGraph& graph() const AZORA_CONTROL { return graph_; }
  // True if enough instances of the dependency have reached its condition, without the serial `leave_out` (0: none).
  bool satisfied(const Dependency& dependency, std::uint64_t leave_out = 0) const AZORA_CONTROL;
  bool has_living_dependent(const ServiceState& service, StopScope scope = StopScope::all) const AZORA_CONTROL;
  // Direct dependents by hard edges whose process may exist, but for those under maintenance, which are not stopped.
  std::vector<std::uint64_t> living_dependents(const ServiceState& service) const AZORA_CONTROL;
  // The services that would feel it if `name` ended; the one to stop first comes first. Only hard edges count. The end
  // of one instance is not felt if enough other instances are left.
  std::vector<ServiceState*> all_dependents(std::string_view name) AZORA_CONTROL;
  std::vector<std::string> living_ids(StopScope scope = StopScope::all) const AZORA_CONTROL;  // sorted
  bool has_living(StopScope scope) const AZORA_CONTROL;

  // Checks whether all these services together may be registered. Changes nothing. Fails also with limit_reached.
  Result<void> check(const std::vector<SpecPtr>& specs) const AZORA_CONTROL;
  // What the names in the endpoints of the next registration stand for.
  void know(const registry::LocalNames& names) AZORA_CONTROL { addresses_.know(names); }
  // The address on which we listen ourselves: no service may listen or be checked there. Refused if one does.
  Result<void> set_own_address(const std::string& host, std::uint16_t port) AZORA_CONTROL;
  std::vector<registry::Registry::Change> put(const std::vector<SpecPtr>& specs) AZORA_CONTROL;
  // Takes back the entries of a former fleet; the states are added apart. Call it before the first put().
  void restore(std::vector<registry::Entry> entries, std::uint64_t last_serial, std::uint64_t next_order) AZORA_CONTROL;
  // Gives the id a new serial: from now on it is another service.
  void renumber(std::string_view id) AZORA_CONTROL { registry_.renumber(id); }
  // Makes the state of a registered service, as it is before anything is known of it.
  ServiceState& add(const registry::Entry& entry, const registry::Instance& instance, Now now) AZORA_CONTROL;
  // The same for a service that no entry has any more: it was leaving when a former orchestrator ended. Ids wait for it.
  ServiceState& add_leaving(const SpecPtr& spec, std::uint64_t serial, const std::vector<std::string>& waiting_ids,
                            Now now) AZORA_CONTROL;
  // Unregisters what the name stands for. The states stay until the services have left. The highest index comes first.
  std::vector<registry::Instance> unregister(std::string_view name) AZORA_CONTROL;

  // Until the process of this service is proven gone, its own id and `more` are not started.
  void begin_leaving(ServiceState& service, const std::vector<std::string>& more) AZORA_CONTROL;
  // It is proven gone: returns the ids that no service keeps from starting any more. drop_ended() removes the state.
  std::vector<std::string> end_leaving(ServiceState& service) AZORA_CONTROL;
  void drop_ended() AZORA_CONTROL;

  // Writes of figures so far. Any thread.
  std::uint64_t figures_written() const { return figures_.writes(); }

  // These numbers are updated as services change, so no question has to walk over the whole fleet.
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
  Result<void> check_size(const std::vector<SpecPtr>& specs, const std::vector<SpecPtr>& entries) const AZORA_CONTROL;

  const std::size_t most_services_;
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
  // Per id: the serials that keep it from starting.
  std::unordered_map<std::string, std::vector<std::uint64_t>> leaving_ AZORA_OF_CONTROL;
  std::vector<std::uint64_t> ended_ AZORA_OF_CONTROL;
  std::size_t healthy_ AZORA_OF_CONTROL = 0;
  std::size_t unhealthy_ AZORA_OF_CONTROL = 0;
  std::size_t alive_ AZORA_OF_CONTROL = 0;
  Watched watched_ AZORA_OF_CONTROL;
};

}  // namespace azora::orchestrator
