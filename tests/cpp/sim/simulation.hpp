#pragma once
// One fleet with dependencies, groups, replicas and every kind of action, a store that may be slow, refuse or hang, and
// strangers that take the addresses of services, driven through a seeded schedule of faults and commands while watchers
// look on; then the faults end and everything must come back; then all leave and nothing may be left. Where it has many
// lives, orchestrators and keepers end as well, at any step; where it has years, a larger fleet runs for a month with
// checks minutes and faults hours apart.
// The seed decides everything: the same seed, the same run. simulation.cpp builds the fleet and ends the faults,
// faults.cpp makes them.
// Threads: the test's.
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "sim/action_watcher.hpp"
#include "sim/crashes.hpp"
#include "sim/life_watcher.hpp"
#include "sim/outside.hpp"
#include "sim/store_watcher.hpp"
#include "sim/tally.hpp"
#include "sim/trace.hpp"

namespace azora::orchestrator {

class Simulation {
 public:
  enum class Kind {
    ours,   // processes and callables heal the services
    all,    // and all kinds of actions that there may be
    lives,  // ours; orchestrators and keepers end
    years,  // ours; they end, in a larger fleet over a month
  };
  explicit Simulation(std::uint64_t seed, Kind kind = Kind::all);
  void run();
  bool failed() const { return !watcher_.problems().empty(); }
  // The seed and what was found, one line each.
  std::string report() const;
  // What was told and asked for up to there, oldest first; for the replay of one seed, if it was asked for before run().
  void tell_story() { watcher_.findings().tell_story(); }
  std::string story() const;
  // The same for the same seed: of all that it did, byte by byte.
  std::uint64_t trace() const { return trace_.hash(); }
  Tally tally() const;
  // How its store behaves until the faults end, by the seed: always prompt; slow; slow, refusing and hung by turns.
  enum class StoreKind { prompt, slow, failing };
  StoreKind store_kind() const { return static_cast<StoreKind>(seed_ % 3); }

 private:
  struct Member {
    std::string id;
    std::string more;      // of its configuration, beside what every service has
    bool url_only = false;
    const ActionKind* action = &kProcessAction;
    bool launched() const { return action == &kProcessAction; }
    bool probed = true;
    bool registered = false;
    int replicas = 1;
    bool fixed = false;    // others need so many of it, or one of its instances: it keeps its form
    std::vector<std::string> ids;          // the services that it stands for now
    std::vector<std::uint64_t> serials;    // of them
  };

  bool has_lives() const { return kind_ == Kind::lives || kind_ == Kind::years; }
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  bool chance(unsigned percent) { return below(100) < percent; }
  Member& any() { return members_[below(members_.size())]; }
  std::uint64_t any_serial(const Member& member) { return member.serials[below(member.serials.size())]; }

  void build();
  void end_turn();
  void pass_time(Nanos span);
  void end_lives();
  std::string dependency_of(std::size_t index);
  std::string policy();
  void vary_action(Member& member);
  void add(Member& member, const std::string& argv);
  void remove(Member& member);
  void fault();
  void answer_badly(Member& member);
  void misbehave(Member& member);
  void misbehave_elsewhere(std::uint64_t serial);
  void crash(std::uint64_t serial, std::optional<int> code = std::nullopt);
  void command(Member& member);
  void overwrite(Member& member);
  void whole_stop();
  void recover(Member& member);
  void heal();
  void trouble_the_store();
  void bring_strangers();
  void act_as_owners();
  void set_strangers(const Member& member, bool come);
  void check_converged();
  bool is_known_gap(const ServiceView& view) const;
  void clear_away();

  std::uint64_t seed_;
  std::mt19937_64 random_;
  World world_;
  Watcher watcher_{world_};
  StoreWatcher store_watcher_{world_, watcher_};
  // Of their own: a seed's faults are the same whatever the store does, services say of their ends, actions do,
  // strangers take and owners ask for.
  std::mt19937_64 store_random_;
  std::mt19937_64 policy_random_;
  std::mt19937_64 action_random_;
  std::mt19937_64 stranger_random_;
  std::mt19937_64 owner_random_;
  std::mt19937_64 life_random_;
  Kind kind_;
  Outside outside_{world_, watcher_, store_watcher_, random_, action_random_};
  ActionWatcher action_watcher_{world_, watcher_};
  LifeWatcher life_watcher_{world_, watcher_, store_watcher_};
  Trace trace_{world_};
  Tally tally_;
  Crashes crashes_;
  std::vector<Member> members_;
  bool healing_ = false;
  int life_ = 0;               // whose first publication was seen
  std::uint64_t changes_ = 0;  // that the watchers have seen
  int quiet_turns_ = 0;
};

// A sanitizer makes a seed ten times as slow, and more seeds of one thread show it little: it gets a part of them.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
inline constexpr std::uint64_t kSeedsDividedBy = 4;
#else
inline constexpr std::uint64_t kSeedsDividedBy = 1;
#endif

// Numbers from the environment: AZORA_SIM_SEED replays one seed, AZORA_SIM_SEEDS sets how many are run.
std::uint64_t number_from(const char* name, std::uint64_t otherwise);

}  // namespace azora::orchestrator
