#pragma once
// Knows by the events alone in which groups, and whether in the whole fleet, most turned bad: nothing of them is killed
// for its checks then, and that is told once.
// Threads: the test's. Ownership: borrows the world, which outlives it.
#include <map>
#include <optional>
#include <string>

#include "support/world.hpp"

namespace azora::orchestrator {

class MassWatch {
 public:
  explicit MassWatch(World& world) : world_(world) {}

  // It turned unhealthy. True: with it a mass failure begins, which is to be told.
  bool turned_bad(const std::string& id, const ServiceView& view);
  // It answers again, or is another one.
  void forget(const std::string& id);
  // A brake ends with the orchestrator; the next one counts anew, by what is stored until it has published.
  void life_ended();
  // The next orchestrator told of a service that the former one had not published: who counts is not known in this life.
  void cannot_tell() { blind_ = true; }
  bool can_tell() const { return !blind_; }
  // Whom a mass failure that is on has to do with: its group, "all", or, empty, there is none.
  std::string of(const ServiceSpec& spec);

 private:
  // A group, or under no name the fleet.
  struct Mass {
    std::map<std::string, SteadyTime> turned;  // members that turned bad, and until when each counts
    std::optional<SteadyTime> since;           // of the brake
    SteadyTime until;                          // the last of those that braked it counts
  };

  std::size_t count_members(const std::string& group);
  bool note(const std::string& group, const std::string& id, SteadyTime until);
  bool is_on(const std::string& group);
  SteadyTime now() { return world_.loop.now().steady; }

  World& world_;
  std::map<std::string, Mass> masses_;
  bool blind_ = false;
  std::shared_ptr<const Board> former_;           // the last one that the former orchestrator published
  std::map<std::string, std::string> groups_;     // of stored entries, then
};

}  // namespace azora::orchestrator
