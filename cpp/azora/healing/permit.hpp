#pragma once
// May this running service be killed because its checks fail? Every liveness kill passes through permit().
// 1. At most max(1, floor(n/2)) members of a group are down by our own kills at a time; a group of one passes.
// 2. Mass brake. A failure domain is a group, or the whole fleet. A member that turned bad counts for three of its own
//    check intervals, unless it recovers before. When at least three members count and they are more than half of the
//    domain, a brake begins: no member of the domain is killed. It ends when no member has turned bad for three of its
//    intervals, at the latest after five minutes.
// A brake is reported when it begins. When a group is braked already and the fleet follows, or the reverse, that is the
// same event and is not reported again.
// Costs O(log n) per call, whatever the fleet. Pure: time is an argument. Threads: the control thread. Fails: never;
// unknown serials are refused.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "azora/base/serial_map.hpp"
#include "azora/base/time.hpp"

namespace azora::healing {

class KillPermits {
 public:
  struct Brake {
    std::string group;  // empty: the fleet
    std::size_t bad = 0;
    std::size_t members = 0;
  };

  // A brake that is on: `until` unless more turn bad, and never beyond `at_latest`.
  struct Braking {
    std::string group;  // empty: the fleet
    SteadyTime since{};
    SteadyTime until{};
    SteadyTime at_latest{};
    friend bool operator==(const Braking&, const Braking&) = default;
  };

  // `group` empty: it is alone. Again for a known serial: new settings; a permit that it holds it keeps while it stays
  // in its group.
  void upsert(std::uint64_t serial, const std::string& group, Millis interval);
  void remove(std::uint64_t serial);
  // The service turned unhealthy. Returns the brake that begins with it.
  std::optional<Brake> turned_bad(std::uint64_t serial, SteadyTime now);
  // The service answers again.
  void recovered(std::uint64_t serial);
  // Those that are on, by group.
  std::vector<Braking> braking(SteadyTime now);
  // Granted permits are held until release().
  bool permit(std::uint64_t serial, SteadyTime now);
  void release(std::uint64_t serial);
  // It was granted by a former orchestrator, and is held as if it had been granted here.
  void keep(std::uint64_t serial);

 private:
  static constexpr int kIntervals = 3;

  struct Domain {
    std::string group;      // empty: the fleet
    std::size_t members = 0;
    std::size_t held = 0;
    std::set<std::pair<SteadyTime, std::uint64_t>> bad;  // members that count, by the time until which they do
    bool braked = false;
    SteadyTime braked_at{};
    SteadyTime quiet_at{};  // the brake ends then, unless another member turns bad
  };
  using Groups = std::unordered_map<std::string, Domain>;
  // Most services are alone, so that this is all they cost.
  struct Member {
    Groups::value_type* group = nullptr;  // null: alone, which no rule for groups ever holds back
    SteadyTime counts_until{};            // since it last turned bad
    Millis interval{0};
    bool held = false;
  };

  bool braked(Domain& domain, SteadyTime now);
  bool braked(Member& member, SteadyTime now);
  bool count_bad(Domain& domain, std::uint64_t serial, SteadyTime until, SteadyTime now);
  void count_no_more(const Member& member, std::uint64_t serial);
  template <typename Visit>
  void for_domains(const Member& member, Visit visit) {
    if (member.group != nullptr) visit(member.group->second);
    visit(fleet_);
  }

  SerialMap<Member> members_;
  Groups groups_;
  Domain fleet_;
  std::set<std::string> braked_;  // groups of domains whose brake is on, or was when it was last looked at
};

}  // namespace azora::healing
