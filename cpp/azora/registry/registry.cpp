#include "azora/registry/registry.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace azora::registry {
namespace {

template <typename Index>
const typename Index::mapped_type* lookup(const Index& index, std::string_view key) {
  const auto at = index.find(key);
  return at == index.end() ? nullptr : &at->second;
}

std::vector<const Entry*> entries_of(const EntryList* members) {
  std::vector<const Entry*> entries;
  if (!members) return entries;
  entries.reserve(members->size());
  members->for_each([&](const Entry& entry) { entries.push_back(&entry); });
  return entries;
}

void remove_from(IdMap<EntryList>& index, const std::string& key, std::uint64_t order) {
  const auto at = index.find(key);
  at->second.remove(order);
  if (at->second.empty()) index.erase(at);
}

// What a batch would do to one name.
struct NameChange {
  int types = 0;   // services more (or fewer) of that type
  int groups = 0;  // services more (or fewer) that name that group
  const ServiceSpec* type_bearer = nullptr;
  const ServiceSpec* group_bearer = nullptr;
};

std::string conflict_text(const std::string& name, const ServiceSpec& grouped,
                          const ServiceSpec& typed) {
  std::string text = "group \"" + name + "\" of service \"" + grouped.id + "\" is also ";
  text += &grouped == &typed ? "its type" : "the type of service \"" + typed.id + "\"";
  return text + "; a pool has one meaning, rename one of them";
}

}  // namespace

const Entry* Registry::find(std::string_view id) const {
  return lookup(by_id_, id);
}

std::vector<const Entry*> Registry::by_type(std::string_view type) const {
  return entries_of(lookup(by_type_, type));
}

std::vector<const Entry*> Registry::by_group(std::string_view group) const {
  std::vector<const Entry*> members = entries_of(lookup(by_group_, group));
  const Entry* bearer = find(group);
  if (bearer && !bearer->spec->explicit_group) {
    const auto place = std::find_if(members.begin(), members.end(), [&](const Entry* member) {
      return member->order > bearer->order;
    });
    members.insert(place, bearer);
  }
  return members;
}

PoolKind Registry::pool_kind(std::string_view name) const {
  if (lookup(by_type_, name)) return PoolKind::type;
  if (lookup(by_group_, name)) return PoolKind::group;
  const Entry* bearer = find(name);
  return bearer && !bearer->spec->explicit_group ? PoolKind::one : PoolKind::none;
}

std::vector<const Entry*> Registry::pool(std::string_view name) const {
  auto members = pool_kind(name) == PoolKind::type ? by_type(name) : by_group(name);
  std::erase_if(members, [](const Entry* member) { return !member->spec->endpoint; });
  return members;
}

std::vector<std::string> Registry::pool_names() const {
  std::vector<std::string> names;
  names.reserve(by_type_.size() + by_group_.size());
  for (const auto& [name, members] : by_type_) names.push_back(name);
  for (const auto& [name, members] : by_group_) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> Registry::pools_of(const ServiceSpec& spec) const {
  if (!spec.endpoint) return {};
  std::vector<std::string> names = {spec.type};
  if (spec.explicit_group || !lookup(by_type_, spec.group)) names.push_back(spec.group);
  return names;
}

Result<void> Registry::check(std::span<const SpecPtr> batch) const {
  std::unordered_map<std::string_view, NameChange, IdHash> changes;
  std::unordered_set<std::string_view, IdHash> ids;
  ids.reserve(batch.size());
  std::vector<Fault> faults;
  for (const SpecPtr& spec : batch) {
    if (!ids.insert(spec->id).second) {
      faults.push_back({"id", "is \"" + spec->id + "\" twice in one batch; leave one of them out"});
      continue;
    }
    NameChange& type = changes[spec->type];
    ++type.types;
    type.type_bearer = spec.get();
    if (spec->explicit_group) {
      NameChange& group = changes[spec->group];
      ++group.groups;
      group.group_bearer = spec.get();
    }
    if (const Entry* old = find(spec->id)) {
      --changes[old->spec->type].types;
      if (old->spec->explicit_group) --changes[old->spec->group].groups;
    }
  }
  if (!faults.empty()) return spec_error(std::move(faults));

  std::vector<std::string> conflicts;
  for (const auto& [name, change] : changes) {
    const auto* types = lookup(by_type_, name);
    const auto* groups = lookup(by_group_, name);
    const auto total = [](const EntryList* now, int more) {
      return static_cast<std::ptrdiff_t>(now ? now->size() : 0) + more;
    };
    if (total(types, change.types) == 0 || total(groups, change.groups) == 0) continue;
    // One that is not in the batch is registered and not replaced by it.
    const auto bearer = [&](const ServiceSpec* in_batch, const EntryList* members) {
      if (in_batch) return in_batch;
      const ServiceSpec* kept = nullptr;
      members->for_each([&](const Entry& member) {
        if (!kept && !ids.contains(member.spec->id)) kept = member.spec.get();
      });
      return kept;
    };
    conflicts.push_back(conflict_text(std::string(name), *bearer(change.group_bearer, groups),
                                      *bearer(change.type_bearer, types)));
  }
  if (conflicts.empty()) return {};
  std::sort(conflicts.begin(), conflicts.end());
  std::string message;
  for (const std::string& conflict : conflicts) message += (message.empty() ? "" : "; ") + conflict;
  return Error{ErrorCode::pool_conflict, std::move(message), {}};
}

Registry::Put Registry::put(SpecPtr spec) {
  Entry& entry = by_id_[spec->id];
  if (entry.spec) {
    unindex(entry);
    SpecPtr replaced = std::exchange(entry.spec, std::move(spec));
    ++entry.generation;
    index(entry);
    return {&entry, std::move(replaced)};
  }
  entry = Entry{std::move(spec), ++last_serial_, next_order_++, 1};
  index(entry);
  by_order_.add(entry.order, &entry);
  return {&entry, nullptr};
}

void Registry::begin_after(std::uint64_t last_serial, std::uint64_t next_order) {
  last_serial_ = last_serial;
  next_order_ = next_order;
}

void Registry::renumber(std::string_view id) {
  const auto at = by_id_.find(id);
  if (at != by_id_.end()) at->second.serial = ++last_serial_;
}

SpecPtr Registry::erase(std::string_view id) {
  const auto at = by_id_.find(id);
  if (at == by_id_.end()) return nullptr;
  const Entry& entry = at->second;
  unindex(entry);
  by_order_.remove(entry.order);
  SpecPtr spec = entry.spec;
  by_id_.erase(at);
  return spec;
}

void Registry::index(const Entry& entry) {
  by_type_[entry.spec->type].add(entry.order, &entry);
  if (entry.spec->explicit_group) by_group_[entry.spec->group].add(entry.order, &entry);
}

void Registry::unindex(const Entry& entry) {
  remove_from(by_type_, entry.spec->type, entry.order);
  if (entry.spec->explicit_group) remove_from(by_group_, entry.spec->group, entry.order);
}

}  // namespace azora::registry
