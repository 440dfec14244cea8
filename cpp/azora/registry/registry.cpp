#include "azora/registry/registry.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "azora/model/service_name.hpp"

namespace azora::registry {
namespace {

// How a batch would change the use of one name.
struct NameChange {
  int types = 0;   // entries more (or fewer) of that type
  int groups = 0;  // entries more (or fewer) that name that group
  const ServiceSpec* typed = nullptr;    // one of the batch that has the type
  const ServiceSpec* grouped = nullptr;  // one of the batch that names the group
};

std::string conflict_text(const std::string& name, const ServiceSpec& grouped,
                          const ServiceSpec& typed) {
  std::string text = "group \"" + name + "\" of service \"" + grouped.id + "\" is also ";
  text += &grouped == &typed ? "its type" : "the type of service \"" + typed.id + "\"";
  return text + "; a pool must have one meaning, so rename one of them";
}

// The entry as its user wrote it.
SpecPtr written(const SpecPtr& service) { return service->entry ? service->entry : service; }

int index_of(const ServiceSpec& service) { return instance_index(service.id).value_or(0); }

// The instance with that index, or end.
template <typename Instances>
auto find_index(Instances& instances, int index) {
  const auto at = std::lower_bound(instances.begin(), instances.end(), index,
                                   [](const Instance& one, int wanted) { return index_of(*one.spec) < wanted; });
  return at != instances.end() && index_of(*at->spec) == index ? at : instances.end();
}

}  // namespace

std::vector<std::span<const SpecPtr>> split_by_entry(std::span<const SpecPtr> services) {
  std::vector<std::span<const SpecPtr>> parts;
  while (!services.empty()) {
    std::size_t count = 1;
    const SpecPtr& entry = services.front()->entry;
    while (entry && count < services.size() && services[count]->entry == entry) ++count;
    parts.push_back(services.first(count));
    services = services.subspan(count);
  }
  return parts;
}

std::vector<SpecPtr> entries_of(std::span<const SpecPtr> services) {
  std::vector<SpecPtr> entries;
  for (const auto& part : split_by_entry(services)) entries.push_back(written(part.front()));
  return entries;
}

const Entry* Registry::find(std::string_view name) const {
  const auto at = by_name_.find(name);
  return at == by_name_.end() ? nullptr : &*at;
}

// A set gives no way to change its elements, since their order could depend on it. Here only the name counts.
Entry* Registry::entry_named(std::string_view name) { return const_cast<Entry*>(std::as_const(*this).find(name)); }

const Instance* Registry::find_service(std::string_view id) const {
  const std::span<const Instance> found = services(id);
  return found.size() == 1 && found.front().spec->id == id ? &found.front() : nullptr;
}

std::span<const Instance> Registry::services(std::string_view name) const {
  if (const Entry* entry = find(name)) return entry->instances;
  const std::optional<int> index = instance_index(name);
  const Entry* entry = index ? find(entry_of(name)) : nullptr;
  if (entry == nullptr || entry->spec->replicas == 1) return {};
  const auto at = find_index(entry->instances, *index);
  if (at == entry->instances.end()) return {};
  return {&*at, 1};
}

bool Registry::is_group(std::string_view name) const {
  const auto at = names_.find(name);
  return at != names_.end() && at->second.groups > 0;
}

Result<void> Registry::check(std::span<const SpecPtr> entries) const {
  std::unordered_map<std::string_view, NameChange, IdHash> changes;
  std::unordered_set<std::string_view, IdHash> ids;
  ids.reserve(entries.size());
  std::vector<Fault> faults;
  for (const SpecPtr& spec : entries) {
    if (!ids.insert(spec->id).second) {
      faults.push_back({"id", "is \"" + spec->id + "\" twice in one batch; remove one of them"});
      continue;
    }
    NameChange& type = changes[*spec->type];
    ++type.types;
    type.typed = spec.get();
    if (spec->explicit_group) {
      NameChange& group = changes[spec->group()];
      ++group.groups;
      group.grouped = spec.get();
    }
    if (const Entry* old = find(spec->id)) {
      --changes[*old->spec->type].types;
      if (old->spec->explicit_group) --changes[old->spec->group()].groups;
    }
  }
  if (!faults.empty()) return spec_error(std::move(faults));

  std::vector<std::string> conflicts;
  for (const auto& [of, change] : changes) {
    const auto& name = of;  // clang cannot capture a structured binding
    const auto now = names_.find(name);
    const NameUse use = now == names_.end() ? NameUse{} : now->second;
    if (use.types + change.types == 0 || use.groups + change.groups == 0) continue;
    const ServiceSpec* grouped = change.grouped;
    const ServiceSpec* typed = change.typed;
    by_order_.for_each([&](const Entry& entry) {
      if (ids.contains(entry.spec->id)) return;
      if (!grouped && entry.spec->explicit_group && entry.spec->group() == name) grouped = entry.spec.get();
      if (!typed && entry.spec->type == name) typed = entry.spec.get();
    });
    conflicts.push_back(conflict_text(std::string(name), *grouped, *typed));
  }
  if (conflicts.empty()) return {};
  std::sort(conflicts.begin(), conflicts.end());
  std::string message;
  for (const std::string& conflict : conflicts) message += (message.empty() ? "" : "; ") + conflict;
  return Error{ErrorCode::pool_conflict, std::move(message), {}};
}

Registry::Change Registry::put(std::span<const SpecPtr> services) {
  const SpecPtr spec = written(services.front());
  Entry* const known_entry = entry_named(spec->id);
  const bool is_new = known_entry == nullptr;
  Entry& entry = is_new ? const_cast<Entry&>(*by_name_.insert(Entry{.spec = spec, .instances = {}}).first) : *known_entry;
  if (is_new) {
    entry.order = next_order_;
    by_order_.add(entry.order, &entry);
  } else {
    ++entry.generation;
    count(*entry.spec, -1);
  }
  count(*spec, +1);
  // If an entry changes between one service and replicas, it keeps none of its former services.
  const bool same_form = !is_new && (entry.spec->replicas == 1) == (spec->replicas == 1);
  entry.spec = spec;
  OneOrMore<Instance> before = std::exchange(entry.instances, {});
  std::vector<bool> kept(before.size());
  Change change{&entry, {}, {}};
  entry.instances.reserve(services.size());
  for (const SpecPtr& service : services) {
    const auto known = same_form ? find_index(before, index_of(*service)) : before.end();
    if (known == before.end()) {
      change.replaced.push_back(nullptr);
      entry.instances.push_back({service, ++last_serial_, next_order_++});
    } else {
      change.replaced.push_back(known->spec);
      entry.instances.push_back({service, known->serial, known->order});
      kept[static_cast<std::size_t>(known - before.begin())] = true;
    }
  }
  for (std::size_t i = before.size(); i-- > 0;) {
    if (!kept[i]) change.removed.push_back(std::move(before[i]));
  }
  services_ += services.size();
  services_ -= before.size();
  return change;
}

void Registry::begin_after(std::uint64_t last_serial, std::uint64_t next_order) {
  last_serial_ = last_serial;
  next_order_ = next_order;
}

void Registry::restore(Entry entry) {
  services_ += entry.instances.size();
  count(*entry.spec, +1);
  const Entry& restored = *by_name_.insert(std::move(entry)).first;
  by_order_.add(restored.order, &restored);
}

void Registry::renumber(std::string_view id) {
  Entry* const entry = entry_named(entry_of(id));
  if (entry == nullptr) return;
  const auto instance = find_index(entry->instances, instance_index(id).value_or(0));
  if (instance != entry->instances.end()) instance->serial = ++last_serial_;
}

std::vector<Instance> Registry::erase(std::string_view name) {
  const std::span<const Instance> going = services(name);
  if (going.empty()) return {};
  Entry& entry = *entry_named(entry_of(name));
  std::vector<Instance> erased(going.rbegin(), going.rend());
  services_ -= erased.size();
  if (erased.size() < entry.instances.size()) {
    entry.instances.erase(find_index(entry.instances, index_of(*erased.front().spec)));
    return erased;
  }
  count(*entry.spec, -1);
  by_order_.remove(entry.order);
  by_name_.erase(entry);
  return erased;
}

void Registry::count(const ServiceSpec& entry, int change) {
  const auto add = [&](const std::string& name, int NameUse::* uses) {
    const auto at = names_.try_emplace(name).first;
    at->second.*uses += change;
    if (at->second.types == 0 && at->second.groups == 0) names_.erase(at);
  };
  add(entry.type, &NameUse::types);
  if (entry.explicit_group) add(entry.group(), &NameUse::groups);
}

}  // namespace azora::registry
