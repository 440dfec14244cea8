#include "azora/healing/permit.hpp"

#include <algorithm>

namespace azora::healing {
namespace {
constexpr std::size_t kFewest = 3;             // fewer than that is no mass
constexpr Millis kLongestBrake{300'000};
}  // namespace

void KillPermits::put(std::uint64_t serial, const std::string& group, bool bad, Millis interval) {
  const auto known = members_.find(serial);
  if (known != members_.end() && known->second.group == group) {
    for (Domain* domain : {&groups_[group], &fleet_}) {
      count_interval(*domain, known->second.interval, false);
      count_interval(*domain, interval, true);
    }
    known->second.interval = interval;
    known->second.bad = bad;
    return;
  }
  remove(serial);
  members_[serial] = {group, bad, false, interval, {}};
  for (Domain* domain : {&groups_[group], &fleet_}) {
    ++domain->members;
    count_interval(*domain, interval, true);
  }
}

void KillPermits::remove(std::uint64_t serial) {
  release(serial);
  const auto found = members_.find(serial);
  if (found == members_.end()) return;
  const auto group = groups_.find(found->second.group);
  for (Domain* domain : {&group->second, &fleet_}) {
    --domain->members;
    count_interval(*domain, found->second.interval, false);
    domain->turned_bad.erase({found->second.turned, serial});
  }
  if (group->second.members == 0) groups_.erase(group);
  members_.erase(found);
}

void KillPermits::count_interval(Domain& domain, Millis interval, bool add) {
  std::size_t& count = domain.intervals[interval];
  count = add ? count + 1 : count - 1;
  if (count == 0) domain.intervals.erase(interval);
}

std::optional<KillPermits::Brake> KillPermits::set_bad(std::uint64_t serial, bool bad, SteadyTime now) {
  const auto found = members_.find(serial);
  if (found == members_.end() || found->second.bad == bad) return std::nullopt;
  found->second.bad = bad;
  if (!bad) return std::nullopt;
  const SteadyTime before = std::exchange(found->second.turned, now);
  Domain& group = groups_[found->second.group];
  const bool known = braked(group, now) || braked(fleet_, now);
  const bool of_group = note_bad(group, serial, before, now);
  const bool of_fleet = note_bad(fleet_, serial, before, now);
  if (known || !(of_group || of_fleet)) return std::nullopt;
  const Domain& domain = of_fleet ? fleet_ : group;
  return Brake{of_fleet ? "" : found->second.group, domain.turned_bad.size(), domain.members};
}

// True: a brake begins.
bool KillPermits::note_bad(Domain& domain, std::uint64_t serial, SteadyTime before, SteadyTime now) {
  const bool was_braked = braked(domain, now);
  domain.last_bad = now;
  auto& turned = domain.turned_bad;
  turned.erase({before, serial});
  while (!turned.empty() && now - turned.begin()->first > domain.window()) turned.erase(turned.begin());
  turned.insert({now, serial});
  if (was_braked || turned.size() < kFewest || 2 * turned.size() <= domain.members) return false;
  domain.braked = true;
  domain.braked_at = now;
  return true;
}

bool KillPermits::braked(Domain& domain, SteadyTime now) {
  if (!domain.braked) return false;
  const bool quiet = now - domain.last_bad > domain.window();
  if (quiet || now - domain.braked_at > kLongestBrake) {
    domain.braked = false;
    domain.turned_bad.clear();
  }
  return domain.braked;
}

bool KillPermits::permit(std::uint64_t serial, SteadyTime now) {
  const auto found = members_.find(serial);
  if (found == members_.end()) return false;
  if (found->second.held) return true;
  Domain& group = groups_[found->second.group];
  if (braked(group, now) || braked(fleet_, now)) return false;
  if (group.held >= std::max<std::size_t>(1, group.members / 2)) return false;
  found->second.held = true;
  ++group.held;
  return true;
}

void KillPermits::release(std::uint64_t serial) {
  const auto found = members_.find(serial);
  if (found == members_.end() || !found->second.held) return;
  found->second.held = false;
  --groups_[found->second.group].held;
}

}  // namespace azora::healing
