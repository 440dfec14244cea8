#pragma once
// When each check is made next, and which may be made now. A pure timing structure: time comes in as an argument,
// checks come out; ProbeTimer (probe_timer.hpp) joins it to a Loop.
// A check is named by its serial, which is never used again, and by the slot that add() gave it, a small number under
// which it is found at once. A call for a check whose slot was given to another check changes nothing.
// - A fixed grid per check (phase.hpp); grid and confirm times are rounded up to a 10 ms tick, so that
//   what is due together is handed out as one batch.
// - A new check is due at once; in `confirm` min(interval/5, 2 s) after the end of the last probe; in
//   `starting` at once, then 10, 20, 40 ms and so on, up to start_interval, after the end of the last.
// - Never two probes of one check in flight; never more than max_in_flight() in all nor per_target for one
//   host and port. A check that cannot go is late. Late checks go by priority, where each step is worth one second
//   of waiting, so that none waits indefinitely.
// - Checks whose last probe took long (hung ones above all) share three quarters of the room: however many they are,
//   those that are answered promptly keep their times.
// - A probe that goes on time costs O(1), whatever the fleet, and allocates nothing.
// Threads: the control thread. Ownership: its own. Fails: never; unknown checks are ignored.
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "azora/base/time.hpp"
#include "azora/health/check_key.hpp"
#include "azora/health/due_wheel.hpp"
#include "azora/health/key_slots.hpp"
#include "azora/health/ordinals.hpp"

namespace azora::health {

enum class Mode : std::uint8_t { grid, confirm, starting, paused };

// When and how urgently one check is to be made.
struct ProbePlan {
  std::uint64_t target_key = 0;  // of host and port, e.g. hash_bytes("127.0.0.1:7001")
  Millis interval{30'000};
  Millis start_interval{1'000};
  int priority = 5;              // 1-10
};

struct SchedulerOptions {
  Millis tick{10};
  std::size_t max_in_flight = 256;  // grows to half the fleet
  std::size_t fd_limit = 1024;      // of the process; a quarter of it is the ceiling
  std::size_t per_target = 8;
};

class Scheduler {
 public:
  explicit Scheduler(SchedulerOptions options = {}) : options_(options), wheel_(options.tick) {}

  // Due at once, then in `mode`. `ordinal` restores the place on the grid that ordinal() returned before.
  CheckKey add(Serial serial, const ProbePlan& plan, SteadyTime now, Mode mode = Mode::grid,
               std::optional<Ordinal> ordinal = std::nullopt);
  // A probe in flight is given up on: its slot is free again, a later done() is ignored.
  void remove(CheckKey key);
  // New settings of a known check; a probe in flight goes on. The place on the grid stays while the interval does.
  void update(CheckKey key, const ProbePlan& plan, SteadyTime now);
  // `starting` begins its backoff anew, also when it was the mode before. Others: no-op when unchanged.
  void set_mode(CheckKey key, Mode mode, SteadyTime now);
  // Due at once, in every mode except paused; the mode goes on afterwards.
  void hurry(CheckKey key, SteadyTime now);
  // The probe handed out for the check ended. Call before set_mode() with what its answer means.
  void done(CheckKey key, SteadyTime ended);

  // Replaces `out` by the checks to ask now, in order; each is in flight until done() or remove().
  void due(SteadyTime now, std::vector<CheckKey>& out);
  // When due() has something to do next; a time in the past means at once. nullopt: never as things are.
  std::optional<SteadyTime> next() const;
  // When the next timed entry falls due (next() without the late ones). For LatenessGuard.
  std::optional<SteadyTime> next_tick() const { return wheel_.next(); }

  std::size_t size() const { return size_; }
  std::size_t in_flight() const { return in_flight_; }
  std::size_t late() const { return ready_[0].size() + ready_[1].size() + held_; }
  std::size_t max_in_flight() const;
  std::size_t max_slow_in_flight() const { return std::max<std::size_t>(1, max_in_flight() / 4 * 3); }
  std::optional<Ordinal> ordinal(CheckKey key) const;
  std::optional<SteadyTime> due_at(CheckKey key) const;  // nullopt: in flight, paused or unknown
  static Nanos confirm_spacing(Millis interval) {
    return std::min<Nanos>(Nanos(interval) / 5, std::chrono::seconds(2));
  }

 private:
  using Slot = CheckKey::Slot;
  using TargetIndex = KeySlots::Number;

  // idle: paused or not scheduled. timed: in the wheel. ready: due, waits for room in all. held: due, waits for room
  // at its target.
  enum class Place : std::uint8_t { idle, timed, ready, held, in_flight };

  struct Entry {
    Serial serial = 0;
    Millis interval{0};
    Millis start_interval{0};
    SteadyTime due{};       // in timed, ready, held
    SteadyTime ended{};     // the last probe; in flight: when this one was launched
    TargetIndex target = 0;
    Ordinal ordinal = 0;
    std::uint8_t priority = 0;
    std::uint8_t start_step = 0;
    Mode mode = Mode::grid;
    Place place = Place::idle;
    bool hurried = false;  // hurry() came while in flight
    bool slow = false;     // its last probe took long
    bool by_slow = false;  // counts as a slow one in flight, or waits with the slow ones in ready
  };
  // The order of late checks: (due + one second per step below the highest priority, slot).
  using Rank = std::tuple<SteadyTime, Slot>;
  // One host and port, shared by the checks that ask it.
  struct Target {
    std::uint32_t checks = 0;
    std::uint32_t in_flight = 0;
    std::unique_ptr<std::set<Rank>> held;  // most targets never hold one
  };

  Entry* find(CheckKey key) { return const_cast<Entry*>(std::as_const(*this).find(key)); }
  const Entry* find(CheckKey key) const {
    const bool known = key.slot < entries_.size() && entries_[key.slot].serial == key.serial && key.serial != 0;
    return known ? &entries_[key.slot] : nullptr;
  }
  static void set_plan(Entry& entry, const ProbePlan& plan);
  static Rank rank_of(const Entry& entry, Slot slot);
  SteadyTime next_due(const Entry& entry, SteadyTime now) const;
  Nanos start_gap(const Entry& entry) const;
  void take_ordinal(Slot slot, std::optional<Ordinal> wanted);
  void release_ordinal(Slot slot);
  TargetIndex join_target(std::uint64_t key);
  void leave_target(TargetIndex index);
  // `due` orders it among the checks that wait for room; when it has passed, the check is due at `now`.
  void schedule(Slot slot, SteadyTime due, SteadyTime now);
  void reschedule(Slot slot, SteadyTime now);
  void unschedule(Slot slot);
  void wait_ready(Slot slot);
  // The next of the checks that wait; null: none may go.
  const Rank* next_ready() const;
  void launch(Slot slot, SteadyTime now, std::vector<CheckKey>& out);
  void take_off(Slot slot);
  void land(Slot slot);
  void promote(TargetIndex index);

  SchedulerOptions options_;
  std::vector<Entry> entries_;
  std::vector<Slot> free_;
  std::size_t size_ = 0;
  DueWheel wheel_;  // by slot
  std::vector<Slot> fallen_;  // due in this call of due(); kept for its capacity
  std::array<std::set<Rank>, 2> ready_;  // prompt ones, slow ones
  KeySlots target_keys_;
  std::vector<Target> targets_;  // by the number of its key
  std::unordered_map<std::int64_t, Ordinals> classes_;  // by interval in ms
  std::size_t in_flight_ = 0;
  std::size_t slow_in_flight_ = 0;
  std::size_t held_ = 0;
};

}  // namespace azora::health
