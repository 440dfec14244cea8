#include "azora/healing/permit.hpp"

#include <algorithm>
#include <string_view>

namespace azora::healing {
namespace {
constexpr std::size_t kFewest = 3;  // fewer bad members never brake
constexpr Millis kLongestBrake{300'000};
}  // namespace

void KillPermits::upsert(std::uint64_t serial, const std::string& group, Millis interval) {
  Member* known = members_.find(serial);
  if (known != nullptr && group == (known->group ? known->group->first : std::string_view())) {
    known->interval = interval;
    return;
  }
  remove(serial);
  Member& member = members_[serial];
  member.interval = interval;
  if (!group.empty()) {
    member.group = &*groups_.try_emplace(group).first;
    member.group->second.group = group;
  }
  for_domains(member, [](Domain& domain) { ++domain.members; });
}

void KillPermits::remove(std::uint64_t serial) {
  release(serial);
  const Member* found = members_.find(serial);
  if (found == nullptr) return;
  const Member& member = *found;
  count_no_more(member, serial);
  for_domains(member, [](Domain& domain) { --domain.members; });
  if (member.group != nullptr && member.group->second.members == 0) {
    braked_.erase(member.group->first);
    groups_.erase(groups_.find(member.group->first));
  }
  members_.erase(serial);
}

std::optional<KillPermits::Brake> KillPermits::turned_bad(std::uint64_t serial, SteadyTime now) {
  Member* found = members_.find(serial);
  if (found == nullptr) return std::nullopt;
  Member& member = *found;
  count_no_more(member, serial);
  member.counts_until = now + kIntervals * Nanos(member.interval);
  const bool known = braked(member, now);
  const bool of_group =
      member.group != nullptr && count_bad(member.group->second, serial, member.counts_until, now);
  const bool of_fleet = count_bad(fleet_, serial, member.counts_until, now);
  if (known || !(of_group || of_fleet)) return std::nullopt;
  const Domain& domain = of_fleet ? fleet_ : member.group->second;
  return Brake{of_fleet ? "" : member.group->first, domain.bad.size(), domain.members};
}

void KillPermits::recovered(std::uint64_t serial) {
  const Member* found = members_.find(serial);
  if (found != nullptr) count_no_more(*found, serial);
}

void KillPermits::count_no_more(const Member& member, std::uint64_t serial) {
  for_domains(member, [&](Domain& domain) { domain.bad.erase({member.counts_until, serial}); });
}

// True: a brake begins.
bool KillPermits::count_bad(Domain& domain, std::uint64_t serial, SteadyTime until, SteadyTime now) {
  const bool was_braked = braked(domain, now);
  if (was_braked) domain.quiet_at = std::max(domain.quiet_at, until);
  auto& bad = domain.bad;
  while (!bad.empty() && bad.begin()->first < now) bad.erase(bad.begin());
  bad.insert({until, serial});
  if (was_braked || bad.size() < kFewest || 2 * bad.size() <= domain.members) return false;
  domain.braked = true;
  braked_.insert(domain.group);
  domain.braked_at = now;
  domain.quiet_at = bad.rbegin()->first;
  return true;
}

bool KillPermits::braked(Domain& domain, SteadyTime now) {
  if (!domain.braked) return false;
  if (now > domain.quiet_at || now - domain.braked_at > kLongestBrake) {
    domain.braked = false;
    braked_.erase(domain.group);
    domain.bad.clear();
  }
  return domain.braked;
}

std::vector<KillPermits::Braking> KillPermits::braking(SteadyTime now) {
  std::vector<Braking> all;
  for (const std::string& group : std::set<std::string>(braked_)) {
    Domain& domain = group.empty() ? fleet_ : groups_.at(group);
    if (!braked(domain, now)) continue;
    const SteadyTime at_latest = domain.braked_at + kLongestBrake;
    all.push_back({group, domain.braked_at, std::min(domain.quiet_at, at_latest), at_latest});
  }
  return all;
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

void KillPermits::keep(std::uint64_t serial) {
  Member* found = members_.find(serial);
  if (found == nullptr || found->held) return;
  found->held = true;
  if (found->group != nullptr) ++found->group->second.held;
}

void KillPermits::release(std::uint64_t serial) {
  Member* found = members_.find(serial);
  if (found == nullptr || !found->held) return;
  found->held = false;
  if (found->group != nullptr) --found->group->second.held;
}

}  // namespace azora::healing
