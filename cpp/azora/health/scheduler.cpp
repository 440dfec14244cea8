#include "azora/health/scheduler.hpp"

#include <algorithm>

#include "azora/base/check.hpp"

namespace azora::health {
namespace {
constexpr std::uint8_t kMaxStartStep = 30;  // the gap has long reached start_interval
constexpr Millis kPrompt{250};              // a probe that takes longer is a slow one
}

CheckKey Scheduler::add(Serial serial, const ProbePlan& plan, SteadyTime now, Mode mode,
                        std::optional<Ordinal> ordinal) {
  Slot slot = 0;
  if (free_.empty()) {
    slot = static_cast<Slot>(entries_.size());
    entries_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  ++size_;
  Entry& entry = entries_[slot];
  entry = Entry{};
  entry.serial = serial;
  set_plan(entry, plan);
  entry.ended = now;
  entry.mode = mode;
  entry.target = join_target(plan.target_key);
  take_ordinal(slot, ordinal);
  if (mode != Mode::paused) schedule(slot, now, now);
  return {serial, slot};
}

void Scheduler::remove(CheckKey key) {
  Entry* entry = find(key);
  if (entry == nullptr) return;
  if (entry->place == Place::in_flight) {
    land(key.slot);
  } else {
    unschedule(key.slot);
  }
  release_ordinal(key.slot);
  leave_target(entry->target);
  *entry = Entry{};
  --size_;
  free_.push_back(key.slot);
}

void Scheduler::update(CheckKey key, const ProbePlan& plan, SteadyTime now) {
  Entry* entry = find(key);
  if (entry == nullptr) return;
  const Slot slot = key.slot;
  const bool in_flight = entry->place == Place::in_flight;
  const bool was_due = entry->place == Place::ready || entry->place == Place::held ||
                       (entry->place == Place::timed && entry->due <= now);
  const SteadyTime due = entry->due;
  // Its target must not change while the check counts as in flight there.
  if (in_flight) {
    land(slot);
  } else {
    unschedule(slot);
  }
  if (plan.target_key != target_keys_.key(entry->target)) {
    leave_target(entry->target);
    entry->target = join_target(plan.target_key);
  }
  const bool moves = plan.interval != entry->interval;
  if (moves) release_ordinal(slot);
  set_plan(*entry, plan);
  if (moves) take_ordinal(slot, std::nullopt);
  if (in_flight) {
    take_off(slot);
  } else if (was_due) {
    schedule(slot, due, now);
  } else {
    reschedule(slot, now);
  }
}

void Scheduler::set_mode(CheckKey key, Mode mode, SteadyTime now) {
  Entry* entry = find(key);
  if (entry == nullptr || (entry->mode == mode && mode != Mode::starting)) return;
  entry->mode = mode;
  entry->start_step = 0;
  if (mode == Mode::paused) entry->hurried = false;
  if (entry->place == Place::in_flight) return;  // done() schedules it
  reschedule(key.slot, now);
}

void Scheduler::hurry(CheckKey key, SteadyTime now) {
  Entry* entry = find(key);
  if (entry == nullptr || entry->mode == Mode::paused) return;
  switch (entry->place) {
    case Place::in_flight: entry->hurried = true; return;
    case Place::ready:
    case Place::held: return;
    case Place::idle:
    case Place::timed: break;
  }
  unschedule(key.slot);
  schedule(key.slot, now, now);
}

void Scheduler::done(CheckKey key, SteadyTime ended) {
  Entry* entry = find(key);
  if (entry == nullptr || entry->place != Place::in_flight) return;
  land(key.slot);
  entry->slow = ended - entry->ended > kPrompt;
  entry->ended = ended;
  if (entry->hurried) {
    entry->hurried = false;
    schedule(key.slot, ended, ended);
  } else {
    reschedule(key.slot, ended);
  }
}

void Scheduler::due(SteadyTime now, std::vector<CheckKey>& out) {
  out.clear();
  fallen_.clear();
  wheel_.advance(now, fallen_);
  for (const Slot slot : fallen_) entries_[slot].place = Place::idle;
  if (late() == held_ && in_flight_ + fallen_.size() <= max_slow_in_flight()) {
    // The usual case: room for all.
    std::sort(fallen_.begin(), fallen_.end(),
              [this](Slot a, Slot b) { return rank_of(entries_[a], a) < rank_of(entries_[b], b); });
    for (const Slot slot : fallen_) launch(slot, now, out);
    return;
  }
  for (const Slot slot : fallen_) wait_ready(slot);
  while (const Rank* first = next_ready()) {
    const Slot slot = std::get<1>(*first);
    std::set<Rank>& from = ready_[entries_[slot].by_slow ? 1 : 0];
    from.erase(from.begin());
    entries_[slot].place = Place::idle;
    launch(slot, now, out);
  }
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

std::size_t Scheduler::max_in_flight() const {
  // Room for half the fleet: when that half hangs until a timeout of one interval, the rest keeps its times.
  const std::size_t wanted = std::max(options_.max_in_flight, size_ / 2);
  return std::max<std::size_t>(1, std::min(wanted, options_.fd_limit / 4));
}

std::optional<Ordinal> Scheduler::ordinal(CheckKey key) const {
  const Entry* entry = find(key);
  if (entry == nullptr) return std::nullopt;
  return entry->ordinal;
}

std::optional<SteadyTime> Scheduler::due_at(CheckKey key) const {
  const Entry* entry = find(key);
  if (entry == nullptr || entry->place == Place::in_flight || entry->place == Place::idle) return std::nullopt;
  return entry->due;
}

void Scheduler::set_plan(Entry& entry, const ProbePlan& plan) {
  entry.interval = plan.interval;
  entry.start_interval = plan.start_interval;
  entry.priority = static_cast<std::uint8_t>(plan.priority);
}

Scheduler::Rank Scheduler::rank_of(const Entry& entry, Slot slot) {
  constexpr int kHighest = 10;
  const int steps = std::max(0, kHighest - entry.priority);
  return {entry.due + std::chrono::seconds(steps), slot};
}

SteadyTime Scheduler::next_due(const Entry& entry, SteadyTime now) const {
  switch (entry.mode) {
    case Mode::confirm:
      // The last probe may have ended long ago. A time in the past would read as lateness of our own loop.
      return round_up(std::max(now, entry.ended + confirm_spacing(entry.interval)), options_.tick);
    case Mode::starting:
      return entry.start_step == 0 ? now : std::max(now, entry.ended + start_gap(entry));
    case Mode::grid:
    case Mode::paused: break;
  }
  return round_up(next_grid_point(now, entry.interval, phase_of(entry.ordinal, entry.interval)), options_.tick);
}

Nanos Scheduler::start_gap(const Entry& entry) const {
  const Nanos gap = Millis(10) * (std::int64_t{1} << (entry.start_step - 1));
  return std::min<Nanos>(gap, entry.start_interval);
}

void Scheduler::take_ordinal(Slot slot, std::optional<Ordinal> wanted) {
  Entry& entry = entries_[slot];
  entry.ordinal = classes_[entry.interval.count()].take(slot, wanted);
}

void Scheduler::release_ordinal(Slot slot) {
  const Entry& entry = entries_[slot];
  const auto found = classes_.find(entry.interval.count());
  AZORA_ASSERT(found != classes_.end());
  const auto move = found->second.release(entry.ordinal);
  if (move) {
    // The moved check keeps the probe that is already set and then follows its new place, so no gap is longer than an
    // interval.
    entries_[move->holder].ordinal = move->to;
  }
  if (found->second.empty()) classes_.erase(found);
}

Scheduler::TargetIndex Scheduler::join_target(std::uint64_t key) {
  const TargetIndex index = target_keys_.number_of(key);
  if (index == targets_.size()) targets_.emplace_back();
  ++targets_[index].checks;
  return index;
}

void Scheduler::leave_target(TargetIndex index) {
  Target& target = targets_[index];
  AZORA_ASSERT(target.checks > 0);
  if (--target.checks > 0) return;
  target = Target{};
  target_keys_.remove(index);
}

void Scheduler::schedule(Slot slot, SteadyTime due, SteadyTime now) {
  Entry& entry = entries_[slot];
  AZORA_ASSERT(entry.place == Place::idle);
  entry.due = due;
  entry.place = Place::timed;
  wheel_.set(slot, std::max(due, now), now);
}

void Scheduler::reschedule(Slot slot, SteadyTime now) {
  unschedule(slot);
  if (entries_[slot].mode == Mode::paused) return;
  schedule(slot, next_due(entries_[slot], now), now);
}

void Scheduler::unschedule(Slot slot) {
  Entry& entry = entries_[slot];
  switch (entry.place) {
    case Place::idle:
    case Place::in_flight: return;
    case Place::ready:
      ready_[entry.by_slow ? 1 : 0].erase(rank_of(entry, slot));
      promote(entry.target);  // this check may be the one that was given the free place at its target
      break;
    case Place::held:
      targets_[entry.target].held->erase(rank_of(entry, slot));
      --held_;
      break;
    case Place::timed: wheel_.drop(slot); break;
  }
  entry.place = Place::idle;
}

void Scheduler::launch(Slot slot, SteadyTime now, std::vector<CheckKey>& out) {
  Entry& entry = entries_[slot];
  Target& target = targets_[entry.target];
  if (target.in_flight >= options_.per_target) {
    entry.place = Place::held;
    if (!target.held) target.held = std::make_unique<std::set<Rank>>();
    target.held->insert(rank_of(entry, slot));
    ++held_;
    return;
  }
  entry.ended = now;
  take_off(slot);
  if (entry.mode == Mode::starting && entry.start_step < kMaxStartStep) ++entry.start_step;
  out.push_back({entry.serial, slot});
}

void Scheduler::take_off(Slot slot) {
  Entry& entry = entries_[slot];
  entry.place = Place::in_flight;
  entry.by_slow = entry.slow;
  ++in_flight_;
  if (entry.slow) ++slow_in_flight_;
  ++targets_[entry.target].in_flight;
}

void Scheduler::land(Slot slot) {
  Entry& entry = entries_[slot];
  AZORA_ASSERT(entry.place == Place::in_flight && in_flight_ > 0);
  entry.place = Place::idle;
  --in_flight_;
  if (entry.by_slow) --slow_in_flight_;
  AZORA_ASSERT(targets_[entry.target].in_flight > 0);
  --targets_[entry.target].in_flight;
  promote(entry.target);
}

void Scheduler::promote(TargetIndex index) {
  Target& target = targets_[index];
  if (!target.held || target.in_flight >= options_.per_target) return;
  if (target.held->empty()) {
    target.held.reset();
    return;
  }
  // The next check that waits for this target now competes for room in all.
  const Rank first = *target.held->begin();
  target.held->erase(target.held->begin());
  --held_;
  wait_ready(std::get<1>(first));
}

}  // namespace azora::health
