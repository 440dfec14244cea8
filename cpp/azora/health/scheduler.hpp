#pragma once
// When each service is probed next, and which may be probed now. A pure timing structure: time comes in as
// an argument, serials come out; ProbeTimer (probe_timer.hpp) joins it to a Loop.
// - A fixed grid per service (phase.hpp); grid and confirm times are rounded up to a 10 ms tick, so that
//   what is due together is handed out as one batch.
// - A new service is due at once; in `confirm` min(interval/5, 2 s) after the end of the last probe; in
//   `starting` at once, then 10, 20, 40 ms .. start_interval after the end of the last.
// - Never two probes of one service in flight; never more than max_in_flight() in all nor per_target for one
//   host and port. What cannot go is late: then by priority, each step of it worth one second of waiting
//   (so that nobody waits for ever).
// - Services whose last probe took long (hung ones above all) share three quarters of the room: however many
//   they are, those that answer promptly keep their times.
// - Costs O(log of the distinct due times) per probe, whatever the fleet.
// Threads: the control thread. Ownership: none of anybody's. Fails: never; unknown serials are ignored.
#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "azora/base/serial_map.hpp"
#include "azora/base/time.hpp"
#include "azora/health/ordinals.hpp"

namespace azora::health {

using Serial = std::uint64_t;

enum class Mode : std::uint8_t { grid, confirm, starting, paused };

// How one service wants to be probed.
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
  explicit Scheduler(SchedulerOptions options = {}) : options_(options) {}

  // Due at once, then in `mode`. `ordinal` restores the place on the grid that ordinal() told before.
  // A serial that is here already is updated.
  void add(Serial serial, const ProbePlan& plan, SteadyTime now, Mode mode = Mode::grid,
           std::optional<Ordinal> ordinal = std::nullopt);
  // A probe in flight is given up on: its slot is free again, a later done() is ignored.
  void remove(Serial serial);
  // New settings of a known service; a probe in flight goes on. The place on the grid stays while the
  // interval does.
  void update(Serial serial, const ProbePlan& plan, SteadyTime now);
  // `starting` begins its backoff anew, also when it was the mode before. Others: no-op when unchanged.
  void set_mode(Serial serial, Mode mode, SteadyTime now);
  // Due at once, whatever the mode (but paused); the mode goes on afterwards.
  void hurry(Serial serial, SteadyTime now);
  // The probe handed out for `serial` ended. Call before set_mode() with what its answer means.
  void done(Serial serial, SteadyTime ended);

  // Those to ask now, in order; each is in flight until done() or remove().
  std::vector<Serial> due(SteadyTime now);
  // When due() has something to do next; a time in the past means at once. nullopt: never as things are.
  std::optional<SteadyTime> next() const;
  // When the next timed entry falls due (next() without what is only late). For LatenessGuard.
  std::optional<SteadyTime> next_tick() const;

  std::size_t size() const { return slot_of_.size(); }
  std::size_t in_flight() const { return in_flight_; }
  std::size_t late() const { return ready_[0].size() + ready_[1].size() + held_; }
  std::size_t max_in_flight() const;
  std::size_t max_slow_in_flight() const { return std::max<std::size_t>(1, max_in_flight() / 4 * 3); }
  std::optional<Ordinal> ordinal(Serial serial) const;
  std::optional<SteadyTime> due_at(Serial serial) const;  // nullopt: in flight, paused or unknown
  static Nanos confirm_spacing(Millis interval) {
    return std::min<Nanos>(Nanos(interval) / 5, std::chrono::seconds(2));
  }

 private:
  using Slot = std::uint32_t;
  static constexpr Slot kNone = UINT32_MAX;

  // idle: paused or not scheduled. timed: in a bucket. ready: due, waits for room in all. held: due, waits
  // for room at its target.
  enum class Place : std::uint8_t { idle, timed, ready, held, in_flight };

  struct Entry {
    Serial serial = 0;
    ProbePlan plan;
    Nanos phase{};
    SteadyTime due{};       // in timed, ready, held
    SteadyTime ended{};     // the last probe; in flight: when this one was launched
    Slot previous = kNone;  // neighbours in the bucket
    Slot following = kNone;
    Ordinal ordinal = 0;
    std::uint8_t start_step = 0;
    Mode mode = Mode::grid;
    Place place = Place::idle;
    bool hurried = false;  // asked for while in flight
    bool slow = false;     // its last probe took long
    bool by_slow = false;  // counts as such in flight, or waits so in ready
  };
  // What is late goes by (due + one second per step below the highest priority, slot).
  using Rank = std::tuple<SteadyTime, Slot>;
  struct Target {
    std::size_t in_flight = 0;
    std::set<Rank> held;
  };

  Entry* find(Serial serial);
  const Entry* find(Serial serial) const;
  Slot slot_of(const Entry& entry) const { return static_cast<Slot>(&entry - entries_.data()); }
  static Rank rank_of(const Entry& entry, Slot slot);
  SteadyTime next_due(const Entry& entry, SteadyTime now) const;
  Nanos start_gap(const Entry& entry) const;
  void take_ordinal(Slot slot, std::optional<Ordinal> wanted);
  void release_ordinal(Slot slot);
  void schedule(Slot slot, SteadyTime due);
  void reschedule(Slot slot, SteadyTime now);
  void unschedule(Slot slot);
  void wait_ready(Slot slot);
  // Who goes next of those that wait; null: nobody may.
  const Rank* next_ready() const;
  void launch(Slot slot, SteadyTime now, std::vector<Serial>& out);
  void take_off(Slot slot);
  void land(Slot slot);
  void promote(std::uint64_t target_key);

  SchedulerOptions options_;
  std::vector<Entry> entries_;
  std::vector<Slot> free_;
  SerialMap<Slot> slot_of_;
  std::map<SteadyTime, Slot> buckets_;  // due time -> first of its list
  std::array<std::set<Rank>, 2> ready_;  // prompt ones, slow ones
  std::unordered_map<std::uint64_t, Target> targets_;  // only those with something in flight or held
  std::unordered_map<std::int64_t, Ordinals> classes_;  // by interval in ms
  std::size_t in_flight_ = 0;
  std::size_t slow_in_flight_ = 0;
  std::size_t held_ = 0;
};

}  // namespace azora::health
