#include "azora/healing/permit.hpp"

#include <algorithm>
#include <utility>

namespace azora::healing {
namespace {
constexpr int kIntervals = 3;
constexpr std::size_t kFewest = 3;             // fewer than that is no mass
constexpr Millis kLongestBrake{300'000};
}  // namespace

void KillPermits::put(std::uint64_t serial, const std::string& group, bool bad, Millis interval) {
  remove(serial);
  members_[serial] = {group, bad, false, interval};
  for (Domain* domain : {&groups_[group], &fleet_}) {
    ++domain->members;
    domain->interval = std::max(domain->interval, interval);
  }
}

void KillPermits::remove(std::uint64_t serial) {
  release(serial);
  const auto found = members_.find(serial);
  if (found == members_.end()) return;
  const auto group = groups_.find(found->second.group);
  if (--group->second.members == 0) groups_.erase(group);
  --fleet_.members;
  members_.erase(found);
}

void KillPermits::set_bad(std::uint64_t serial, bool bad, SteadyTime now) {
  const auto found = members_.find(serial);
  if (found == members_.end() || found->second.bad == bad) return;
  found->second.bad = bad;
  if (!bad) return;
  note_bad(groups_[found->second.group], serial, now);
  note_bad(fleet_, serial, now);
}

void KillPermits::note_bad(Domain& domain, std::uint64_t serial, SteadyTime now) {
  domain.last_bad = now;
  while (!domain.turned_bad.empty() && now - domain.turned_bad.front().at > kIntervals * domain.interval) {
    domain.turned_bad.pop_front();
  }
  std::erase_if(domain.turned_bad, [&](const Turn& turn) { return turn.serial == serial; });
  domain.turned_bad.push_back({now, serial});
  const std::size_t bad = domain.turned_bad.size();
  if (bad < kFewest || 2 * bad <= domain.members || domain.braked) return;
  domain.braked = true;
  domain.braked_at = now;
  notice_ = true;
}

bool KillPermits::braked(Domain& domain, SteadyTime now) {
  if (!domain.braked) return false;
  const bool quiet = now - domain.last_bad > kIntervals * domain.interval;
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
