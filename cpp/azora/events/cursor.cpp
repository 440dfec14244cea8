#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "azora/events/log.hpp"

namespace azora::events {
namespace {

WallTime wall_now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return WallTime{std::chrono::duration_cast<Millis>(since).count()};
}

}  // namespace

Cursor::Cursor(std::shared_ptr<EventLog> log, std::uint64_t after, bool reset, Filter filter)
    : log_(std::move(log)),
      reading_(after, std::move(filter)),
      reset_(reset),
      fd_(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)) {}  // readable at once: there may be past events

Cursor::~Cursor() {
  if (fd_ >= 0) ::close(fd_);
}

// False: there is nothing more now.
bool Cursor::look(std::size_t limit, EventLog::Readers& readers) {
  MutexLock lock(log_->mutex_);
  log_->take_in(readers);
  return reading_.look(log_->state_, log_->checks_, limit, found_);
}

std::vector<EventPtr> Cursor::drain(std::size_t limit) {
  if (closed() || limit == 0) return {};
  std::uint64_t counter = 0;
  // Clears the signal before it looks: later events signal again.
  [[maybe_unused]] const ssize_t got = ::read(fd_, &counter, sizeof counter);
  signalled_.store(false, std::memory_order_release);
  if (std::exchange(reset_, false)) found_.add_reset();

  bool more = true;
  EventLog::Readers readers;
  while (more && found_.size() < limit) {
    more = look(limit, readers);
    EventLog::wake(readers);
    log_->empty_inbox(readers);
  }
  if (more && found_.size() >= limit) wake();  // there may be more
  return found_.take(found_.has_gap() ? wall_now() : WallTime{});
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
