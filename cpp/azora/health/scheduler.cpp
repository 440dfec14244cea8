#include "azora/health/scheduler.hpp"

#include <algorithm>

#include "azora/base/check.hpp"

namespace azora::health {
namespace {
constexpr std::uint8_t kMaxStartStep = 30;  // the gap has long reached start_interval
constexpr Millis kPrompt{250};              // a probe that takes longer is a slow one
}

void Scheduler::add(Serial serial, const ProbePlan& plan, SteadyTime now, Mode mode, std::optional<Ordinal> ordinal) {
  if (find(serial) != nullptr) {
    update(serial, plan, now);
    set_mode(serial, mode, now);
    return;
  }
  Slot slot = 0;
  if (free_.empty()) {
    slot = static_cast<Slot>(entries_.size());
    entries_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  slot_of_[serial] = slot;
  Entry& entry = entries_[slot];
  entry = Entry{};
  entry.serial = serial;
  entry.plan = plan;
  entry.ended = now;
  entry.mode = mode;
  take_ordinal(slot, ordinal);
  if (mode != Mode::paused) schedule(slot, now);
}

void Scheduler::remove(Serial serial) {
  const Slot* found = slot_of_.find(serial);
  if (found == nullptr) return;
  const Slot slot = *found;
  if (entries_[slot].place == Place::in_flight) {
    land(slot);
  } else {
    unschedule(slot);
  }
  release_ordinal(slot);
  slot_of_.erase(serial);
  free_.push_back(slot);
}

void Scheduler::update(Serial serial, const ProbePlan& plan, SteadyTime now) {
  Entry* entry = find(serial);
  if (entry == nullptr) return;
  const Slot slot = slot_of(*entry);
  const bool in_flight = entry->place == Place::in_flight;
  const bool was_due = entry->place == Place::ready || entry->place == Place::held ||
                       (entry->place == Place::timed && entry->due <= now);
  const SteadyTime due = entry->due;
  // The key under which it counts at its target must not change while it counts there.
  if (in_flight) {
    land(slot);
  } else {
    unschedule(slot);
  }
  if (plan.interval != entry->plan.interval) {
    release_ordinal(slot);
    entry->plan = plan;
    take_ordinal(slot, std::nullopt);
  }
  entry->plan = plan;
  if (in_flight) {
    take_off(slot);
  } else if (was_due) {
    schedule(slot, due);
  } else {
    reschedule(slot, now);
  }
}

void Scheduler::set_mode(Serial serial, Mode mode, SteadyTime now) {
  Entry* entry = find(serial);
  if (entry == nullptr || (entry->mode == mode && mode != Mode::starting)) return;
  entry->mode = mode;
  entry->start_step = 0;
  if (mode == Mode::paused) entry->hurried = false;
  if (entry->place == Place::in_flight) return;  // done() schedules it
  reschedule(slot_of(*entry), now);
}

void Scheduler::hurry(Serial serial, SteadyTime now) {
  Entry* entry = find(serial);
  if (entry == nullptr || entry->mode == Mode::paused) return;
  switch (entry->place) {
    case Place::in_flight: entry->hurried = true; return;
    case Place::ready:
    case Place::held: return;
    case Place::idle:
    case Place::timed: break;
  }
  const Slot slot = slot_of(*entry);
  unschedule(slot);
  schedule(slot, now);
}

void Scheduler::done(Serial serial, SteadyTime ended) {
  Entry* entry = find(serial);
  if (entry == nullptr || entry->place != Place::in_flight) return;
  const Slot slot = slot_of(*entry);
  land(slot);
  entry->slow = ended - entry->ended > kPrompt;
  entry->ended = ended;
  if (entry->hurried) {
    entry->hurried = false;
    schedule(slot, ended);
  } else {
    reschedule(slot, ended);
  }
}

std::vector<Serial> Scheduler::due(SteadyTime now) {
  std::vector<Slot> fallen;
  while (!buckets_.empty() && buckets_.begin()->first <= now) {
    for (Slot slot = buckets_.begin()->second; slot != kNone;) {
      Entry& entry = entries_[slot];
      const Slot following = entry.following;
      entry.place = Place::idle;
      entry.previous = entry.following = kNone;
      fallen.push_back(slot);
      slot = following;
    }
    buckets_.erase(buckets_.begin());
  }

  std::vector<Serial> out;
  if (late() == held_ && in_flight_ + fallen.size() <= max_slow_in_flight()) {
    // The usual case: room for all.
    std::sort(fallen.begin(), fallen.end(),
              [this](Slot a, Slot b) { return rank_of(entries_[a], a) < rank_of(entries_[b], b); });
    out.reserve(fallen.size());
    for (const Slot slot : fallen) launch(slot, now, out);
    return out;
  }
  for (const Slot slot : fallen) wait_ready(slot);
  while (const Rank* first = next_ready()) {
    const Slot slot = std::get<1>(*first);
    std::set<Rank>& from = ready_[entries_[slot].by_slow ? 1 : 0];
    from.erase(from.begin());
    entries_[slot].place = Place::idle;
    launch(slot, now, out);
  }
  return out;
}

void Scheduler::wait_ready(Slot slot) {
  Entry& entry = entries_[slot];
  entry.place = Place::ready;
  entry.by_slow = entry.slow;
  ready_[entry.slow ? 1 : 0].insert(rank_of(entry, slot));
}

const Scheduler::Rank* Scheduler::next_ready() const {
  if (in_flight_ >= max_in_flight()) return nullptr;
  const Rank* prompt = ready_[0].empty() ? nullptr : &*ready_[0].begin();
  const bool room = slow_in_flight_ < max_slow_in_flight();
  const Rank* slow = ready_[1].empty() || !room ? nullptr : &*ready_[1].begin();
  if (prompt == nullptr || slow == nullptr) return prompt != nullptr ? prompt : slow;
  return *slow < *prompt ? slow : prompt;
}

std::optional<SteadyTime> Scheduler::next() const {
  if (const Rank* first = next_ready()) return entries_[std::get<1>(*first)].due;
  return next_tick();
}

std::optional<SteadyTime> Scheduler::next_tick() const {
  if (buckets_.empty()) return std::nullopt;
  return buckets_.begin()->first;
}

std::size_t Scheduler::max_in_flight() const {
  // Half the fleet: when half of it hangs until a timeout of one interval, the rest keeps its times.
  const std::size_t wanted = std::max(options_.max_in_flight, slot_of_.size() / 2);
  return std::max<std::size_t>(1, std::min(wanted, options_.fd_limit / 4));
}

std::optional<Ordinal> Scheduler::ordinal(Serial serial) const {
  const Entry* entry = find(serial);
  if (entry == nullptr) return std::nullopt;
  return entry->ordinal;
}

std::optional<SteadyTime> Scheduler::due_at(Serial serial) const {
  const Entry* entry = find(serial);
  if (entry == nullptr || entry->place == Place::in_flight || entry->place == Place::idle) return std::nullopt;
  return entry->due;
}

Scheduler::Entry* Scheduler::find(Serial serial) {
  const Slot* found = slot_of_.find(serial);
  return found == nullptr ? nullptr : &entries_[*found];
}

const Scheduler::Entry* Scheduler::find(Serial serial) const {
  const Slot* found = slot_of_.find(serial);
  return found == nullptr ? nullptr : &entries_[*found];
}

Scheduler::Rank Scheduler::rank_of(const Entry& entry, Slot slot) {
  constexpr int kHighest = 10;
  const int steps = std::max(0, kHighest - entry.plan.priority);
  return {entry.due + std::chrono::seconds(steps), slot};
}

SteadyTime Scheduler::next_due(const Entry& entry, SteadyTime now) const {
  switch (entry.mode) {
    case Mode::confirm:
      // The last probe may have ended long ago. A time in the past would read as lateness of our own loop.
      return round_up(std::max(now, entry.ended + confirm_spacing(entry.plan.interval)), options_.tick);
    case Mode::starting:
      return entry.start_step == 0 ? now : std::max(now, entry.ended + start_gap(entry));
    case Mode::grid:
    case Mode::paused: break;
  }
  return round_up(next_grid_point(now, entry.plan.interval, entry.phase), options_.tick);
}

Nanos Scheduler::start_gap(const Entry& entry) const {
  const Nanos gap = Millis(10) * (std::int64_t{1} << (entry.start_step - 1));
  return std::min<Nanos>(gap, entry.plan.start_interval);
}

void Scheduler::take_ordinal(Slot slot, std::optional<Ordinal> wanted) {
  Entry& entry = entries_[slot];
  entry.ordinal = classes_[entry.plan.interval.count()].take(slot, wanted);
  entry.phase = phase_of(entry.ordinal, entry.plan.interval);
}

void Scheduler::release_ordinal(Slot slot) {
  const Entry& entry = entries_[slot];
  const auto found = classes_.find(entry.plan.interval.count());
  AZORA_ASSERT(found != classes_.end());
  const auto move = found->second.release(entry.ordinal);
  if (move) {
    // Its probe that is already set stays; from then on it follows the new place, so no gap is longer than
    // an interval.
    Entry& moved = entries_[move->holder];
    moved.ordinal = move->to;
    moved.phase = phase_of(moved.ordinal, moved.plan.interval);
  }
  if (found->second.empty()) classes_.erase(found);
}

void Scheduler::schedule(Slot slot, SteadyTime due) {
  Entry& entry = entries_[slot];
  AZORA_ASSERT(entry.place == Place::idle);
  entry.due = due;
  entry.place = Place::timed;
  entry.previous = kNone;
  const auto [bucket, fresh] = buckets_.try_emplace(due, slot);
  entry.following = fresh ? kNone : bucket->second;
  if (!fresh) {
    entries_[bucket->second].previous = slot;
    bucket->second = slot;
  }
}

void Scheduler::reschedule(Slot slot, SteadyTime now) {
  unschedule(slot);
  if (entries_[slot].mode == Mode::paused) return;
  schedule(slot, next_due(entries_[slot], now));
}

void Scheduler::unschedule(Slot slot) {
  Entry& entry = entries_[slot];
  switch (entry.place) {
    case Place::idle:
    case Place::in_flight: return;
    case Place::ready:
      ready_[entry.by_slow ? 1 : 0].erase(rank_of(entry, slot));
      promote(entry.plan.target_key);  // it may have been the one a place at the target was passed to
      break;
    case Place::held: {
      const auto target = targets_.find(entry.plan.target_key);
      AZORA_ASSERT(target != targets_.end());
      target->second.held.erase(rank_of(entry, slot));
      --held_;
      break;
    }
    case Place::timed: {
      if (entry.following != kNone) entries_[entry.following].previous = entry.previous;
      if (entry.previous != kNone) {
        entries_[entry.previous].following = entry.following;
      } else if (entry.following != kNone) {
        buckets_[entry.due] = entry.following;
      } else {
        buckets_.erase(entry.due);
      }
      entry.previous = entry.following = kNone;
      break;
    }
  }
  entry.place = Place::idle;
}

void Scheduler::launch(Slot slot, SteadyTime now, std::vector<Serial>& out) {
  Entry& entry = entries_[slot];
  Target& target = targets_[entry.plan.target_key];
  if (target.in_flight >= options_.per_target) {
    entry.place = Place::held;
    target.held.insert(rank_of(entry, slot));
    ++held_;
    return;
  }
  entry.ended = now;
  take_off(slot);
  if (entry.mode == Mode::starting && entry.start_step < kMaxStartStep) ++entry.start_step;
  out.push_back(entry.serial);
}

void Scheduler::take_off(Slot slot) {
  Entry& entry = entries_[slot];
  entry.place = Place::in_flight;
  entry.by_slow = entry.slow;
  ++in_flight_;
  if (entry.slow) ++slow_in_flight_;
  ++targets_[entry.plan.target_key].in_flight;
}

void Scheduler::land(Slot slot) {
  Entry& entry = entries_[slot];
  AZORA_ASSERT(entry.place == Place::in_flight && in_flight_ > 0);
  entry.place = Place::idle;
  --in_flight_;
  if (entry.by_slow) --slow_in_flight_;
  const auto found = targets_.find(entry.plan.target_key);
  AZORA_ASSERT(found != targets_.end() && found->second.in_flight > 0);
  --found->second.in_flight;
  promote(entry.plan.target_key);
}

void Scheduler::promote(std::uint64_t target_key) {
  const auto found = targets_.find(target_key);
  if (found == targets_.end()) return;
  Target& target = found->second;
  if (!target.held.empty() && target.in_flight < options_.per_target) {
    // The next in line for this target now competes for room in all.
    const Rank first = *target.held.begin();
    target.held.erase(target.held.begin());
    --held_;
    wait_ready(std::get<1>(first));
  }
  if (target.in_flight == 0 && target.held.empty()) targets_.erase(found);
}

}  // namespace azora::health
