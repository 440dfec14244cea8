#pragma once
// Who is registered: services by id, by type and by group, in the order of their registration, and
// the rules for names of pools (semantics 41, 46c). Threads: control thread. Ownership: entries
// live until erased; pointers to them stay good that long. Fails: check() alone; put() after a
// passed check() cannot. Cost: of put and erase O(log n); of check in proportion to the batch.
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

struct Entry {
  SpecPtr spec;
  std::uint64_t serial = 0;  // from 1; of this registration, never reused
  std::uint64_t order = 0;   // from 0; place in listings: kept by overwriting, new after a delete
  std::uint64_t generation = 1;  // of the configuration; one more with each overwriting
};

// What a name stands for when it is asked for as a pool.
enum class PoolKind : std::uint8_t {
  none,
  type,   // every service of that type
  group,  // the services that name that group, and the one that bears it as its id
  one,    // the one service of that id, which names no group
};

class Registry {
 public:
  std::size_t size() const { return by_id_.size(); }
  const Entry* find(std::string_view id) const;

  // In order of registration.
  template <typename Visit>
  void for_each(Visit visit) const {
    by_order_.for_each(visit);
  }
  std::vector<const Entry*> by_type(std::string_view type) const;
  // The explicit members of a group, and the service without explicit group that bears its name.
  std::vector<const Entry*> by_group(std::string_view group) const;

  // A type in use wins over a service's own name; an explicit group never meets a type (check()).
  PoolKind pool_kind(std::string_view name) const;
  // Members of the pool of that name, those without endpoint left out: in no pool (semantics 19).
  std::vector<const Entry*> pool(std::string_view name) const;
  // Names of all types and all explicit groups, sorted.
  std::vector<std::string> pool_names() const;
  // The pools that a service of this spec is in, given who is registered: its type, and its group
  // or itself.
  std::vector<std::string> pools_of(const ServiceSpec& spec) const;

  // May these be put, all together? Changes nothing. pool_conflict: an explicit group would bear
  // the name of a type in use, each such name with both its bearers. invalid_spec: one id twice in
  // the batch.
  Result<void> check(std::span<const SpecPtr> batch) const;

  struct Put {
    const Entry* entry;
    SpecPtr replaced;  // null: a new registration
  };
  // Registers or overwrites. check() of the same specs has passed since the last change.
  Put put(SpecPtr spec);
  // Serials and orders go on behind those that a former registry gave. Before the first put().
  void begin_after(std::uint64_t last_serial, std::uint64_t next_order);
  // Gives a registered service a new serial: from now on it is another one under the same id.
  void renumber(std::string_view id);
  // The spec that was registered; null when there was none.
  SpecPtr erase(std::string_view id);

 private:
  void index(const Entry& entry);
  void unindex(const Entry& entry);

  IdMap<Entry> by_id_;
  EntryList by_order_;
  IdMap<EntryList> by_type_;   // no empty ones
  IdMap<EntryList> by_group_;  // explicit groups only; no empty ones
  std::uint64_t last_serial_ = 0;
  std::uint64_t next_order_ = 0;
};

}  // namespace azora::registry
