#pragma once
// What is registered: entries, each as its user wrote it, with the services it stands for (its instances: one, or with
// replicas one for each), in the order of their registration. And the rule that a pool has one meaning: a group that
// an entry names is never a type in use.
// Threads: control thread. Ownership: an entry lives until erased, pointers to it stay good that long; those to its
// instances until it is put again. Fails: check() alone; put() after a passed check() cannot. Cost: of put and erase
// O(log n) and the instances of the entry; of check in proportion to the batch, and O(n) for each conflict it names.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "azora/base/result.hpp"
#include "azora/model/service_spec.hpp"
#include "azora/registry/entry_list.hpp"
#include "azora/registry/id_map.hpp"

namespace azora::registry {

// One service.
struct Instance {
  SpecPtr spec;              // its id is that of its entry, or with replicas "orders@2"
  std::uint64_t serial = 0;  // from 1; of this registration, never reused
  std::uint64_t order = 0;   // from 0; place in listings: kept by overwriting, new after a delete
};

struct Entry {
  SpecPtr spec;                     // as it was written
  std::vector<Instance> instances;  // by index; never empty
  std::uint64_t order = 0;          // from 0; of its registration, kept by overwriting
  std::uint64_t generation = 1;     // of the configuration; one more with each overwriting
};

// A batch of services, those of one entry behind each other: by entry, and the entries as they were written.
std::vector<std::span<const SpecPtr>> split_by_entry(std::span<const SpecPtr> services);
std::vector<SpecPtr> entries_of(std::span<const SpecPtr> services);

class Registry {
 public:
  std::size_t size() const { return services_; }  // services
  std::uint64_t last_serial() const { return last_serial_; }
  std::uint64_t next_order() const { return next_order_; }
  // The entry of that name; null for the id of an instance.
  const Entry* find(std::string_view name) const;
  // The service of that id; null for the name of an entry with replicas.
  const Instance* find_service(std::string_view id) const;
  // The services that a name stands for: all of an entry, or the one of that id. Empty: there is none.
  std::span<const Instance> services(std::string_view name) const;

  // Entries in order of their registration.
  template <typename Visit>
  void for_each(Visit visit) const {
    by_order_.for_each(visit);
  }
  // True when an entry names that group.
  bool is_group(std::string_view name) const;

  // May these entries be put, all together? Changes nothing. pool_conflict: an explicit group would have the name of a
  // type in use; each such name is told with an entry of either kind. invalid_spec: one id twice in the batch.
  Result<void> check(std::span<const SpecPtr> entries) const;

  struct Change {
    const Entry* entry;
    std::vector<SpecPtr> replaced;  // of each of its instances, what it was before; null: it is new
    std::vector<Instance> removed;  // that it stands for no more, the highest index first
  };
  // Serials and orders go on behind those that a former registry gave. Before the first put().
  void begin_after(std::uint64_t last_serial, std::uint64_t next_order);
  // Registers or overwrites an entry by all of its services. check() of it has passed since the last change.
  Change put(std::span<const SpecPtr> services);
  // Gives a registered service a new serial: from now on it is another one under the same id.
  void renumber(std::string_view id);
  // What a name stands for is registered no more; an entry goes with its last instance. The highest index first.
  std::vector<Instance> erase(std::string_view name);

 private:
  // How many entries use a name.
  struct NameUse {
    int types = 0;   // as their type
    int groups = 0;  // as the group they were given
  };
  void count(const ServiceSpec& entry, int change);

  IdMap<Entry> by_name_;
  EntryList by_order_;
  IdMap<NameUse> names_;  // no unused ones
  std::size_t services_ = 0;
  std::uint64_t last_serial_ = 0;
  std::uint64_t next_order_ = 0;
};

}  // namespace azora::registry
