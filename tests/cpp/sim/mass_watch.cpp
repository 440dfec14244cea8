#include "sim/mass_watch.hpp"

#include <algorithm>

#include "azora/model/service_name.hpp"

namespace azora::orchestrator {
namespace {

constexpr std::chrono::minutes kLongestBrake{5};

}  // namespace

std::string MassWatch::of(const ServiceSpec& spec) {
  std::string mass;
  for (const std::string& domain : {spec.group(), std::string()}) {
    if (is_on(domain)) mass = domain.empty() ? "all" : domain;
  }
  return mass;
}

bool MassWatch::turned_bad(const std::string& id, const ServiceView& view) {
  const bool known = !of(*view.spec).empty();
  const SteadyTime until = now() + 3 * Nanos(view.spec->probe->interval);
  const bool of_group = note(view.spec->group(), id, until);
  const bool of_fleet = note("", id, until);
  return !known && (of_group || of_fleet);
}

bool MassWatch::note(const std::string& group, const std::string& id, SteadyTime until) {
  const bool was = is_on(group);
  Mass& mass = masses_[group];
  if (!was && mass.since) mass = {};  // those of the last time count no more
  if (was) mass.until = std::max(mass.until, until);
  std::erase_if(mass.turned, [&](const auto& one) { return now() > one.second; });
  mass.turned[id] = until;
  const std::size_t members = count_members(group);
  if (was || mass.turned.size() < 3 || 2 * mass.turned.size() <= members) return false;
  mass.since = now();
  for (const auto& one : mass.turned) mass.until = std::max(mass.until, one.second);
  return true;
}

std::size_t MassWatch::count_members(const std::string& group) {
  std::size_t members = 0;
  const auto& board = world_.recorder.board;
  if (board != former_) {
    board->in_order.for_each([&](const ViewPtr& one) { members += group.empty() || one->spec->group() == group ? 1U : 0U; });
    return members;
  }
  for (const auto& [serial, id] : world_.recorder.ids) {
    const auto of = groups_.find(std::string(entry_of(*id)));
    members += group.empty() || (of != groups_.end() && of->second == group) ? 1U : 0U;
  }
  return members;
}

void MassWatch::life_ended() {
  masses_.clear();
  blind_ = false;
  groups_.clear();
  former_ = world_.recorder.board;
  for (const auto& [key, bytes] : world_.store.image()) {
    if (key.table != store::Table::entries) continue;
    Result<store::EntryRecord> entry = store::decode_entry({key, bytes});
    if (!entry) continue;
    Result<std::vector<SpecPtr>> specs = parse_service(
        entry.value().source, {.origin = entry.value().origin, .given_action = entry.value().callable ? &kCallableAction : nullptr});
    if (specs) groups_[entry.value().name] = specs.value().front()->group();
  }
}

bool MassWatch::is_on(const std::string& group) {
  const Mass& mass = masses_[group];
  return mass.since && now() <= mass.until && now() - *mass.since <= kLongestBrake;
}

void MassWatch::forget(const std::string& id) {
  for (auto& [group, mass] : masses_) mass.turned.erase(id);
}

}  // namespace azora::orchestrator
