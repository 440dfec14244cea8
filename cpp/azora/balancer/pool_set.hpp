#pragma once
// All pools and their members (R41, R46c):
//  - every type in use is a pool of all its instances that have an endpoint;
//  - every explicit group is a pool of the services that name it, and of the service without explicit group
//    whose id it is;
//  - the replicas of an entry without explicit group are a pool under its id, unless a type has that name;
//  - a service without explicit group answers to its own id; that pool of one is not stored, unless
//    it was configured. A type of that name wins over it.
// Threads: the control thread. Readers see members of known pools and every change of eligibility at once, new names
// after publish().
// Ownership: publishes through the directory cells it is given, which outlive it.
// Fails: configure() alone. Cost: put, remove and set_tier O(1) on average, publish() O(log names) for each changed
// name. When the name of an entry with replicas becomes that of a type, or ceases to be one: O(fleet).
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "azora/balancer/directory.hpp"
#include "azora/balancer/pool.hpp"
#include "azora/base/result.hpp"
#include "azora/base/serial_map.hpp"
#include "azora/model/service_spec.hpp"

namespace azora::balancer {

class PoolSet {
 public:
  PoolSet(Directory& directory, std::shared_ptr<PoolShared> shared);

  // Registers or changes a service; a new one is excluded until set_tier(). A service that changed nothing that
  // matters here but its weight keeps its instance, tier and leases; one that moved keeps its turn. A service without
  // endpoint is in no pool.
  void put(std::uint64_t serial, const SpecPtr& spec);
  void remove(std::uint64_t serial);

  // Takes effect at once for every pick. `why`: the reason of an exclusion; `stopped` ends the leases, and so does
  // another incarnation. Unknown serials are ignored: they are those of services without endpoint.
  void set_tier(std::uint64_t serial, Tier tier, std::uint64_t incarnation,
                Exclusion why = Exclusion::unhealthy);
  void set_admin(std::uint64_t serial, Admin admin);
  // How many leases are held of it now; 0 for an unknown serial.
  std::uint32_t leases(std::uint64_t serial) const;
  // Out of rotation whatever its tier, until readmit(); `until` is for explanations.
  void eject(std::uint64_t serial, SteadyTime until);
  void readmit(std::uint64_t serial);
  // Slow start: factor of its weight, (0, 1].
  void set_ramp(std::uint64_t serial, double factor);

  // The name need not be in use yet. invalid_argument: a name that no type, group or service can have, a threshold
  // outside [0, 1], a TTL outside 1 ms .. 2^31-1 ms.
  Result<void> configure(std::string_view name, const PoolChange& change);

  // Call at the end of a turn: readers then find the new names, and no longer the removed ones.
  void publish();

  std::size_t size() const { return services_.size(); }  // services with an endpoint
  std::size_t pools() const { return pools_.size(); }  // stored ones

 private:
  // What is known of a name, apart from the service whose id it is.
  struct Name {
    std::shared_ptr<Pool> pool;  // null: not stored
    std::uint32_t types = 0;     // instances of the type of that name
    std::uint32_t groups = 0;    // instances that name that group
    std::uint32_t replicas = 0;  // instances of the entry of that name, which share it as their group
    bool is_type = false;        // as it was when its members were last updated
    bool configured = false;
    PoolOptions options;
  };
  // The names whose pools a service may be in: its type, and its group or its own id.
  static std::array<const std::string*, 2> names_of(const ServiceSpec& spec);

  Instance* find(std::uint64_t serial);
  void count(const ServiceSpec& spec, int change);
  void reconcile(const std::string& name, const ServiceSpec* spec, Instance* before,
                 const std::shared_ptr<Instance>& next);
  void regroup(const std::string& name, Name& entry);
  std::shared_ptr<Instance> owner_of(const std::string& name) const;
  void publish_standing(Instance& instance);
  void retire(Instance& instance);
  void reweigh(Instance& instance, const ServiceSpec& spec);
  std::uint32_t take_slot();

  Directory& directory_;
  std::shared_ptr<PoolShared> shared_;
  SerialMap<std::shared_ptr<Instance>> services_;
  std::unordered_map<std::string, Name> names_;
  Directory::Pools::Edit pools_;
  Directory::Ones::Edit ones_;
  std::uint64_t pools_changed_ = 0;  // names, since the last publish()
  std::uint64_t ones_changed_ = 0;
  std::vector<std::uint32_t> free_slots_;
  std::uint32_t slots_ = 0;
};

}  // namespace azora::balancer
