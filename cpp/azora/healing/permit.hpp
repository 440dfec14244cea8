#pragma once
// May this running process be killed because its checks fail? Every liveness kill passes through permit()
// (semantics 26, design section 6 rule 3):
// 1. At most max(1, floor(n/2)) members of a group are down by our own kills at a time; a group of one passes.
// 2. Mass brake: when more than half (and at least three) of a failure domain - a group, or the fleet - turned
//    bad within three intervals, nobody of it is killed. It ends after three quiet intervals, at the latest after
//    five minutes.
// Pure: time is an argument. Threads: the control thread. Fails: never; unknown serials are refused.
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "azora/base/time.hpp"

namespace azora::healing {

class KillPermits {
 public:
  void put(std::uint64_t serial, const std::string& group, bool bad, Millis interval);
  void remove(std::uint64_t serial);
  // The service turned unhealthy (or stopped being so).
  void set_bad(std::uint64_t serial, bool bad, SteadyTime now);
  // Granted permits are held until release().
  bool permit(std::uint64_t serial, SteadyTime now);
  void release(std::uint64_t serial);
  // True once after a brake began: one massUnhealthy event.
  bool take_brake_notice() { return std::exchange(notice_, false); }

 private:
  struct Turn {
    SteadyTime at;
    std::uint64_t serial;
  };
  struct Domain {
    std::size_t members = 0;
    std::size_t held = 0;
    Millis interval{0};             // the longest of its members
    std::deque<Turn> turned_bad;    // within three intervals
    bool braked = false;
    SteadyTime braked_at{};
    SteadyTime last_bad{};
  };
  struct Member {
    std::string group;
    bool bad = false;
    bool held = false;
    Millis interval{0};
  };

  bool braked(Domain& domain, SteadyTime now);
  void note_bad(Domain& domain, std::uint64_t serial, SteadyTime now);

  std::unordered_map<std::uint64_t, Member> members_;
  std::unordered_map<std::string, Domain> groups_;
  Domain fleet_;
  bool notice_ = false;
};

}  // namespace azora::healing
