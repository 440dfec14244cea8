#include "sim/mass_watch.hpp"

#include <algorithm>

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
  std::size_t members = 0;
  world_.recorder.board->in_order.for_each([&](const ViewPtr& other) {
    members += group.empty() || other->spec->group() == group ? 1U : 0U;
  });
  if (was || mass.turned.size() < 3 || 2 * mass.turned.size() <= members) return false;
  mass.since = now();
  for (const auto& one : mass.turned) mass.until = std::max(mass.until, one.second);
  return true;
}

bool MassWatch::is_on(const std::string& group) {
  const Mass& mass = masses_[group];
  return mass.since && now() <= mass.until && now() - *mass.since <= kLongestBrake;
}

void MassWatch::forget(const std::string& id) {
  for (auto& [group, mass] : masses_) mass.turned.erase(id);
}

}  // namespace azora::orchestrator
