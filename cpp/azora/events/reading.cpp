#include "azora/events/reading.hpp"

#include <algorithm>
#include <utility>

namespace azora::events {
namespace {

// How many events one look examines: this bounds how long it blocks the memories.
constexpr std::size_t kLook = 1024;

}  // namespace

bool Reading::look(const StateMemory& state, const CheckMemory& checks, std::size_t limit, Found& out) {
  look_for_gap(state, checks, out);
  const bool any_service = filter_.service.empty();
  const StateMemory::Place end_state = state.end();
  const std::size_t end_check = checks.size();
  StateMemory::Place at_state = filter_.wants_state() ? state.first_after(after_) : end_state;
  std::size_t at_check = filter_.wants_checks() ? checks.first_after(after_) : end_check;
  for (std::size_t looked = 0; out.size() < limit && looked < kLook; ++looked) {
    const std::uint64_t next_state = at_state == end_state ? UINT64_MAX : (*at_state)->seq;
    const std::uint64_t next_check = at_check == end_check ? UINT64_MAX : checks[at_check].seq();
    if (next_state < next_check) {
      const EventPtr& event = *at_state++;
      if (filter_.wants(*event)) out.add(event);
      pass(next_state);
    } else if (next_check != UINT64_MAX) {
      const CheckRecord& record = checks[at_check++];
      if (any_service || checks.is_of(record, filter_.service)) {
        out.add(record, checks.name_of(record), checks.reason_of(record));
      }
      pass(next_check);
    } else {
      return false;
    }
  }
  return true;
}

void Reading::look_for_gap(const StateMemory& state, const CheckMemory& checks, Found& out) {
  std::uint64_t end = reported_through_;
  if (filter_.wants_state()) end = std::max(end, state.evicted_through());
  if (filter_.wants_checks()) end = std::max(end, checks.evicted_through());
  if (end <= after_) return;
  std::uint64_t kept = 0;
  if (filter_.wants_state()) kept += static_cast<std::uint64_t>(state.first_after(end) - state.first_after(after_));
  if (filter_.wants_checks()) kept += checks.first_after(end) - checks.first_after(after_);
  // Numbers that no event has are no loss. But behind an end that was not in order at least one event may be missing.
  const std::uint64_t lost = std::max<std::uint64_t>(end - after_ - kept - state.unused(after_, end), state.unused(after_, end) > 0 ? 1 : 0);
  if (lost <= reported_left_) return;
  out.add_gap(after_, after_ + 1, end, lost - reported_left_);
  reported_through_ = end;
  reported_left_ = lost;
}

// Moves the reader's place to this number. Numbers in a gap's range that it passes over are lost events.
void Reading::pass(std::uint64_t seq) {
  if (seq >= reported_through_) {
    reported_through_ = reported_left_ = 0;
  } else {
    reported_left_ -= std::min(reported_left_, seq - after_ - 1);
  }
  after_ = seq;
}

std::vector<EventPtr> Found::take(WallTime now) {
  for (Check& check : checks_) {
    events_[check.index] =
        std::make_shared<const Event>(check_event(check.record, std::move(check.id), check.reason.get()));
  }
  checks_.clear();
  for (const Gap& gap : gaps_) {
    auto detail = std::make_unique<EventDetail>();
    detail->has_gap = true;
    detail->gap_from = gap.from;
    detail->gap_to = gap.to;
    detail->gap_count = gap.count;
    if (gap.reset) detail->reason = "reset";
    Event event;
    event.seq = gap.place;
    event.time = now;
    event.type = EventType::gap;
    event.cause = gap.reset ? EventCause("reset") : EventCause("overflow");
    event.actor = "orchestrator";
    event.detail = std::move(detail);
    events_[gap.index] = std::make_shared<const Event>(std::move(event));
  }
  gaps_.clear();
  return std::exchange(events_, {});
}

}  // namespace azora::events
