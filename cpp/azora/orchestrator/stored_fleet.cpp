#include "azora/orchestrator/stored_fleet.hpp"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include "azora/model/spec_parser.hpp"
#include "azora/orchestrator/durable.hpp"

namespace azora::orchestrator {
namespace {

using ById = std::unordered_map<std::string, store::ServiceRecord*>;

// The configuration was accepted once. A newer version of this program may have other rules.
Result<std::vector<SpecPtr>> parsed(const std::string& source, Origin origin, bool callable) {
  return parse_service(source, {.origin = origin, .base_dir = {}, .given_action = callable ? &kCallableAction : nullptr});
}

class Reader {
 public:
  explicit Reader(store::State state) : state_(std::move(state)) {
    for (store::ServiceRecord& record : state_.services) {
      if (!record.leaving) by_id_[record.id] = &record;
    }
  }

  Result<StoredFleet> read() {
    fleet_.heads = state_.heads;
    for (const store::EntryRecord& entry : state_.entries) read_entry(entry);
    for (const auto& [id, record] : by_id_) {
      if (!taken_.contains(id)) fault("service \"" + id + "\"", "it does not belong to any entry");
    }
    for (store::ServiceRecord& record : state_.services) {
      if (record.leaving) read_leaving(std::move(record));
    }
    for (const StoredService& stored : fleet_.services) check(stored);
    count_on();
    if (!faults_.empty()) return Error{ErrorCode::storage_failed, "the stored state cannot be used: " + faults_, {}};
    return std::move(fleet_);
  }

 private:
  void read_entry(const store::EntryRecord& record) {
    Result<std::vector<SpecPtr>> specs = parsed(record.source, record.origin, record.callable);
    if (!specs) return fault("entry \"" + record.name + "\"", specs.error().message);
    registry::Entry entry{.spec = nullptr, .instances = {}, .order = record.order, .generation = record.generation};
    for (const SpecPtr& spec : specs.value()) {
      entry.spec = spec->entry ? spec->entry : spec;
      const auto found = by_id_.find(spec->id);
      if (found == by_id_.end()) continue;  // this instance was unregistered
      taken_.emplace(spec->id, true);
      entry.instances.push_back({spec, found->second->serial, found->second->order});
      fleet_.services.push_back({spec, *found->second});
    }
    if (entry.instances.empty()) return fault("entry \"" + record.name + "\"", "it has no service");
    fleet_.entries.push_back(std::move(entry));
  }

  // Of an entry that may be gone: its own configuration is stored with it.
  void read_leaving(store::ServiceRecord record) {
    Result<std::vector<SpecPtr>> specs = parsed(record.leaving_source, Origin::python, false);
    if (specs) {
      for (const SpecPtr& spec : specs.value()) {
        if (spec->id == record.id) return fleet_.services.push_back({spec, std::move(record)});
      }
    }
    fault("leaving service \"" + record.id + "\"", specs ? "its configuration belongs to another service" : specs.error().message);
  }

  // A repaired state may have lost its numbers: no serial and no place is given twice all the same.
  void count_on() {
    for (const StoredService& stored : fleet_.services) {
      fleet_.heads.last_serial = std::max(fleet_.heads.last_serial, stored.record.serial);
      fleet_.heads.next_order = std::max(fleet_.heads.next_order, stored.record.order + 1);
    }
  }

  // Words that only a newer version of this program knows.
  void check(const StoredService& stored) {
    const std::string of = "service \"" + stored.record.id + "\"";
    if (auto machine = machine_of(stored.record.machine, Now{}, WallTime{}); !machine) fault(of, machine.error().message);
    if (auto verb = staged_of(stored.record); !verb) fault(of, verb.error().message);
  }

  void fault(const std::string& of, const std::string& what) { faults_ += (faults_.empty() ? "" : "; ") + of + ": " + what; }

  store::State state_;
  ById by_id_;
  std::unordered_map<std::string, bool> taken_;
  StoredFleet fleet_;
  std::string faults_;
};

}  // namespace

Result<StoredFleet> read_stored(store::State state) { return Reader(std::move(state)).read(); }

}  // namespace azora::orchestrator
