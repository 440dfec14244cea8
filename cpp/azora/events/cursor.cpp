#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "azora/events/log.hpp"

namespace azora::events {
namespace {

// Events looked at under the lock in one go: bounds how long other readers are kept waiting.
constexpr std::size_t kLook = 1024;
// Events lie where the writer's processor made them: so many of them are fetched ahead.
constexpr std::ptrdiff_t kAhead = 8;

using Place = std::deque<EventPtr>::const_iterator;

void fetch_ahead(Place at, Place end) {
  if (end - at > kAhead) __builtin_prefetch(at[kAhead].get());
}

EventPtr gap_event(std::uint64_t from, std::uint64_t to, std::uint64_t count, std::string_view cause) {
  auto detail = std::make_unique<EventDetail>();
  detail->has_gap = true;
  detail->gap_from = from;
  detail->gap_to = to;
  detail->gap_count = count;
  if (cause == "reset") detail->reason = cause;
  Event event;
  event.seq = to;
  event.time = WallTime{std::chrono::duration_cast<Millis>(std::chrono::system_clock::now().time_since_epoch()).count()};
  event.type = EventType::gap;
  event.cause = cause;
  event.actor = "orchestrator";
  event.detail = std::move(detail);
  return std::make_shared<const Event>(std::move(event));
}

}  // namespace

Cursor::Cursor(std::shared_ptr<EventLog> log, std::uint64_t after, bool reset, Filter filter)
    : log_(std::move(log)),
      filter_(std::move(filter)),
      after_(after),
      reset_(reset),
      fd_(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)) {}  // readable at once: there may be a past to read

Cursor::~Cursor() {
  if (fd_ >= 0) ::close(fd_);
}

// One look under the lock: false when nothing more is there now.
bool Cursor::look(std::vector<EventPtr>& out, std::size_t limit, EventLog::Readers& readers) {
  const bool checks_wanted = filter_.wants(EventType::health_check);
  const bool state_wanted = (filter_.types & ~(std::uint32_t{1} << static_cast<unsigned>(EventType::health_check))) != 0;
  MutexLock lock(log_->mutex_);
  readers = log_->take_in();
  const Place end_state = log_->state_.events.end();
  const Place end_check = log_->checks_.events.end();
  const auto place = [&](const EventLog::Memory& memory, bool wanted) -> Place {
    if (!wanted) return memory.events.end();
    return std::partition_point(memory.events.begin(), memory.events.end(),
                                [&](const EventPtr& event) { return event->seq <= after_; });
  };
  auto at_state = place(log_->state_, state_wanted);
  auto at_check = place(log_->checks_, checks_wanted);
  std::uint64_t lost = 0;  // newest lost number that this reader has not passed yet
  if (state_wanted) lost = std::max(lost, log_->state_.evicted_through);
  if (checks_wanted) lost = std::max(lost, log_->checks_.evicted_through);
  if (lost > after_ && gap_from_ == 0) {
    gap_from_ = after_ + 1;
    passed_in_gap_ = 0;
  }
  for (std::size_t looked = 0; out.size() < limit && looked < kLook; ++looked) {
    const std::uint64_t next_state = at_state == end_state ? UINT64_MAX : (*at_state)->seq;
    const std::uint64_t next_check = at_check == end_check ? UINT64_MAX : (*at_check)->seq;
    const std::uint64_t next = std::min(next_state, next_check);
    if (gap_from_ != 0 && lost < next) {
      // Stands where the last lost event stood, so that a reader's place is always one number.
      out.push_back(gap_event(gap_from_, lost, lost - gap_from_ + 1 - passed_in_gap_, "overflow"));
      after_ = std::max(after_, lost);
      gap_from_ = 0;
      continue;
    }
    if (next == UINT64_MAX) return false;
    const bool is_state = next == next_state;
    fetch_ahead(is_state ? at_state : at_check, is_state ? end_state : end_check);
    const EventPtr& event = is_state ? *at_state++ : *at_check++;
    after_ = next;
    if (gap_from_ != 0) ++passed_in_gap_;
    if (filter_.wants(*event)) out.push_back(event);
  }
  return true;
}

std::vector<EventPtr> Cursor::drain(std::size_t limit) {
  std::vector<EventPtr> out;
  if (closed() || limit == 0) return out;
  std::uint64_t counter = 0;
  // Cleared before looking: what comes afterwards signals anew.
  [[maybe_unused]] const ssize_t got = ::read(fd_, &counter, sizeof counter);
  signalled_.store(false, std::memory_order_release);
  if (std::exchange(reset_, false)) out.push_back(gap_event(0, 0, 0, "reset"));

  bool more = true;
  while (more && out.size() < limit) {
    EventLog::Readers readers;
    more = look(out, limit, readers);
    EventLog::wake(readers);
    log_->settle();
  }
  if (more && out.size() >= limit) wake();  // there may be more
  return out;
}

bool Cursor::wait(Millis timeout) {
  if (closed()) return true;
  pollfd one{fd_, POLLIN, 0};
  const int limit = static_cast<int>(std::min<std::int64_t>(timeout.count(), 1'000'000'000));
  return ::poll(&one, 1, limit) > 0;
}

void Cursor::wake() {
  if (signalled_.exchange(true, std::memory_order_acq_rel)) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t wrote = ::write(fd_, &one, sizeof one);
}

void Cursor::close() {
  closed_.store(true, std::memory_order_release);
  signalled_.store(false, std::memory_order_release);
  wake();
}

}  // namespace azora::events
