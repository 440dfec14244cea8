#pragma once
// The registered entries, in the order of their registration. An entry is kept as its user wrote it, with the services
// it stands for (its instances: one, or one for each replica). Also checks the rule that a pool has one meaning: a
// group that an entry names is never a type in use.
// Threads: control thread. Ownership: an entry lives until it is erased, and pointers to it are valid that long;
// pointers to its instances are valid until it is put again. Fails: only check(); put() cannot fail after check() has
// passed. Cost: put and erase O(log n) plus the instances of the entry; check in proportion to the batch, plus O(n) for
// each conflict it names.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "azora/base/one_or_more.hpp"
#include "azora/base/result.hpp"
#include "azora/model/service_spec.hpp"
#include "azora/registry/entry_list.hpp"
#include "azora/registry/id_map.hpp"

namespace azora::registry {

// One service.
struct Instance {
  SpecPtr spec;              // id of its entry or, with replicas, "orders@2"
  std::uint64_t serial = 0;  // from 1; of this registration, never reused
  std::uint64_t order = 0;   // from 0; place in listings: kept by overwriting, new after a delete
};

struct Entry {
  SpecPtr spec;                     // as it was written
  OneOrMore<Instance> instances;    // by index; never empty
  std::uint64_t order = 0;          // from 0; of its registration, kept by overwriting
  std::uint64_t generation = 1;     // of the configuration; goes up with each overwriting
};

// Splits a batch by entry (the services of one entry are neighbours). The second returns the entries as they were
// written.
std::vector<std::span<const SpecPtr>> split_by_entry(std::span<const SpecPtr> services);
std::vector<SpecPtr> entries_of(std::span<const SpecPtr> services);

class Registry {
 public:
  std::size_t size() const { return services_; }  // number of services
  std::uint64_t last_serial() const { return last_serial_; }
  std::uint64_t next_order() const { return next_order_; }
  // The entry with that name; null for the id of an instance.
  const Entry* find(std::string_view name) const;
  // The service with that id; null for the name of an entry with replicas.
  const Instance* find_service(std::string_view id) const;
  // The services that a name stands for: all of an entry, or the one with that id. Empty: there are none.
  std::span<const Instance> services(std::string_view name) const;

  // Entries in order of their registration.
  template <typename Visit>
  void for_each(Visit visit) const {
    by_order_.for_each(visit);
  }
  // True when an entry names that group.
  bool is_group(std::string_view name) const;

  // Checks whether all these entries together may be put. Changes nothing. pool_conflict: an explicit group would have
  // the name of a type in use; the error names each such name with one entry of either kind. invalid_spec: one id
  // occurs twice in the batch.
  Result<void> check(std::span<const SpecPtr> entries) const;

  struct Change {
    const Entry* entry;
    std::vector<SpecPtr> replaced;  // the former spec of each instance; null: it is new
    std::vector<Instance> removed;  // instances it no longer has, highest index first
  };
  // Serials and orders continue after those that a former registry gave. Call it before the first put().
  void begin_after(std::uint64_t last_serial, std::uint64_t next_order);
  // Takes back an entry of a former registry, with the numbers it had. Before the first put().
  void restore(Entry entry);
  // Registers or overwrites an entry with all of its services. check() must have passed since the last change.
  Change put(std::span<const SpecPtr> services);
  // Gives a registered service a new serial: from now on it is another service with the same id.
  void renumber(std::string_view id);
  // Removes what the name stands for; an entry is removed with its last instance. The highest index comes first.
  std::vector<Instance> erase(std::string_view name);

 private:
  // How many entries use a name, and as what.
  struct NameUse {
    int types = 0;   // as their type
    int groups = 0;  // as the group they were given
  };
  void count(const ServiceSpec& entry, int change);

  // The name of an entry is in its spec. It never changes, whatever spec takes the place of another.
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const { return IdHash{}(name); }
    std::size_t operator()(const Entry& entry) const { return IdHash{}(entry.spec->id); }
  };
  struct SameName {
    using is_transparent = void;
    static std::string_view name(std::string_view name) { return name; }
    static std::string_view name(const Entry& entry) { return entry.spec->id; }
    bool operator()(const auto& a, const auto& b) const { return name(a) == name(b); }
  };
  Entry* entry_named(std::string_view name);

  std::unordered_set<Entry, NameHash, SameName> by_name_;
  EntryList by_order_;
  IdMap<NameUse> names_;  // only names in use
  std::size_t services_ = 0;
  std::uint64_t last_serial_ = 0;
  std::uint64_t next_order_ = 0;
};

}  // namespace azora::registry
