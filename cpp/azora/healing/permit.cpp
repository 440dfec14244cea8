#include "azora/healing/permit.hpp"

#include <algorithm>
#include <string_view>

namespace azora::healing {
namespace {
constexpr std::size_t kFewest = 3;             // fewer than that is no mass
constexpr Millis kLongestBrake{300'000};
}  // namespace

void KillPermits::put(std::uint64_t serial, const std::string& group, bool bad, Millis interval) {
  Member* known = members_.find(serial);
  if (known != nullptr && group == (known->group ? known->group->first : std::string_view())) {
    Member& member = *known;
    for_domains(member, [&](Domain& domain) {
      count_interval(domain, member.interval, false);
      count_interval(domain, interval, true);
    });
    member.interval = interval;
    member.bad = bad;
    return;
  }
  remove(serial);
  Member& member = members_[serial];
  member.interval = interval;
  member.bad = bad;
  if (!group.empty()) member.group = &*groups_.try_emplace(group).first;
  for_domains(member, [&](Domain& domain) {
    ++domain.members;
    count_interval(domain, interval, true);
  });
}

void KillPermits::remove(std::uint64_t serial) {
  release(serial);
  Member* found = members_.find(serial);
  if (found == nullptr) return;
  Member& member = *found;
  for_domains(member, [&](Domain& domain) {
    --domain.members;
    count_interval(domain, member.interval, false);
    domain.turned_bad.erase({member.turned, serial});
  });
  if (member.group != nullptr && member.group->second.members == 0) groups_.erase(groups_.find(member.group->first));
  members_.erase(serial);
}

void KillPermits::count_interval(Domain& domain, Millis interval, bool add) {
  std::size_t& count = domain.intervals[interval];
  count = add ? count + 1 : count - 1;
  if (count == 0) domain.intervals.erase(interval);
}

std::optional<KillPermits::Brake> KillPermits::set_bad(std::uint64_t serial, bool bad, SteadyTime now) {
  Member* found = members_.find(serial);
  if (found == nullptr || found->bad == bad) return std::nullopt;
  Member& member = *found;
  member.bad = bad;
  if (!bad) return std::nullopt;
  const SteadyTime before = std::exchange(member.turned, now);
  const bool known = braked(member, now);
  const bool of_group = member.group != nullptr && note_bad(member.group->second, serial, before, now);
  const bool of_fleet = note_bad(fleet_, serial, before, now);
  if (known || !(of_group || of_fleet)) return std::nullopt;
  const Domain& domain = of_fleet ? fleet_ : member.group->second;
  return Brake{of_fleet ? "" : member.group->first, domain.turned_bad.size(), domain.members};
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

bool KillPermits::braked(Member& member, SteadyTime now) {
  bool any = false;
  for_domains(member, [&](Domain& domain) { any = braked(domain, now) || any; });
  return any;
}

bool KillPermits::permit(std::uint64_t serial, SteadyTime now) {
  Member* found = members_.find(serial);
  if (found == nullptr) return false;
  Member& member = *found;
  if (member.held) return true;
  if (braked(member, now)) return false;
  if (member.group != nullptr) {
    Domain& group = member.group->second;
    if (group.held >= std::max<std::size_t>(1, group.members / 2)) return false;
    ++group.held;
  }
  member.held = true;
  return true;
}

void KillPermits::release(std::uint64_t serial) {
  Member* found = members_.find(serial);
  if (found == nullptr || !found->held) return;
  found->held = false;
  if (found->group != nullptr) --found->group->second.held;
}

}  // namespace azora::healing
