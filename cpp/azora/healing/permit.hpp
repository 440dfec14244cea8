#pragma once
// May this running process be killed because its checks fail? Every liveness kill passes through permit()
// (semantics 26, design section 6 rule 3):
// 1. At most max(1, floor(n/2)) members of a group are down by our own kills at a time; a group of one passes.
// 2. Mass brake: when more than half (and at least three) of a failure domain - a group, or the fleet - turned
//    bad within three intervals, nobody of it is killed. It ends after three quiet intervals, at the latest after
//    five minutes. Said once: a domain that follows one that is braked already is no news.
// Costs O(log n) per call, whatever the fleet. Pure: time is an argument. Threads: the control thread. Fails: never; unknown serials are refused.
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "azora/base/serial_map.hpp"
#include "azora/base/time.hpp"

namespace azora::healing {

class KillPermits {
 public:
  // `group` empty: it is alone. Again for a known serial: new settings; what it holds it keeps while it stays in its
  // group.
  void put(std::uint64_t serial, const std::string& group, bool bad, Millis interval);
  void remove(std::uint64_t serial);
  struct Brake {
    std::string group;  // empty: the fleet
    std::size_t bad = 0;
    std::size_t members = 0;
  };
  // The service turned unhealthy (or stopped being so). Answers the brake that begins with it: one massUnhealthy.
  std::optional<Brake> set_bad(std::uint64_t serial, bool bad, SteadyTime now);
  // Granted permits are held until release().
  bool permit(std::uint64_t serial, SteadyTime now);
  void release(std::uint64_t serial);

 private:
  static constexpr int kIntervals = 3;

  struct Domain {
    std::size_t members = 0;
    std::size_t held = 0;
    std::map<Millis, std::size_t> intervals;                    // of its members, how many of each
    std::set<std::pair<SteadyTime, std::uint64_t>> turned_bad;  // within three intervals, by time
    bool braked = false;
    SteadyTime braked_at{};
    SteadyTime last_bad{};
    Nanos window() const { return kIntervals * Nanos(intervals.empty() ? Millis(0) : intervals.rbegin()->first); }
  };
  using Groups = std::unordered_map<std::string, Domain>;
  // Most services are alone, so that this is all they cost.
  struct Member {
    Groups::value_type* group = nullptr;  // null: alone, which no rule for groups ever holds back
    SteadyTime turned{};                  // when it last turned bad
    Millis interval{0};
    bool bad = false;
    bool held = false;
  };

  static void count_interval(Domain& domain, Millis interval, bool add);
  static bool braked(Domain& domain, SteadyTime now);
  bool braked(Member& member, SteadyTime now);
  template <typename Visit>
  void for_domains(Member& member, Visit visit) {
    if (member.group != nullptr) visit(member.group->second);
    visit(fleet_);
  }
  static bool note_bad(Domain& domain, std::uint64_t serial, SteadyTime before, SteadyTime now);

  SerialMap<Member> members_;
  Groups groups_;
  Domain fleet_;
};

}  // namespace azora::healing
