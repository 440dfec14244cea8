// Tracks which file descriptors this extension has opened, so that a child made by fork() can close them. The linker
// leads all our calls that open or close one through here (CMakeLists.txt, --wrap). This includes Asio's, whose
// descriptors cannot be asked for. libcurl's descriptors for https belong to libcurl.
#include "descriptors.hpp"

#include <sys/syscall.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace azora::bindings {
namespace {

constexpr std::size_t kMost = std::size_t{1} << 20;  // higher numbers are not tracked
constexpr std::size_t kBits = 64;
std::array<std::atomic<std::uint64_t>, kMost / kBits> ours{};  // one bit for each open descriptor

bool followed(int descriptor) {
  return descriptor >= 0 && static_cast<std::size_t>(descriptor) < kMost;
}

int note(int descriptor) {
  if (followed(descriptor)) {
    const auto number = static_cast<std::size_t>(descriptor);
    ours[number / kBits].fetch_or(std::uint64_t{1} << number % kBits, std::memory_order_relaxed);
  }
  return descriptor;
}

void forget(int descriptor) {
  if (followed(descriptor)) {
    const auto number = static_cast<std::size_t>(descriptor);
    ours[number / kBits].fetch_and(~(std::uint64_t{1} << number % kBits), std::memory_order_relaxed);
  }
}

}  // namespace

extern "C" {
int __real_close(int descriptor);
int __real_epoll_create(int size);
int __real_epoll_create1(int flags);
int __real_eventfd(unsigned value, int flags);
int __real_inotify_init1(int flags);
int __real_open(const char* path, int flags, unsigned mode);
int __real_pipe(int* ends);
int __real_pipe2(int* ends, int flags);
int __real_socket(int domain, int type, int protocol);
long __real_syscall(long number, long a, long b, long c, long d, long e, long f);
int __real_timerfd_create(int clock, int flags);

int __wrap_close(int descriptor) {
  forget(descriptor);  // before another thread can get the same number
  return __real_close(descriptor);
}
int __wrap_epoll_create(int size) { return note(__real_epoll_create(size)); }
int __wrap_epoll_create1(int flags) { return note(__real_epoll_create1(flags)); }
int __wrap_eventfd(unsigned value, int flags) { return note(__real_eventfd(value, flags)); }
int __wrap_inotify_init1(int flags) { return note(__real_inotify_init1(flags)); }
int __wrap_open(const char* path, int flags, unsigned mode) {
  return note(__real_open(path, flags, mode));
}
int __wrap_pipe(int* ends) {
  const int result = __real_pipe(ends);
  if (result == 0) {
    note(ends[0]);
    note(ends[1]);
  }
  return result;
}
int __wrap_pipe2(int* ends, int flags) {
  const int result = __real_pipe2(ends, flags);
  if (result == 0) {
    note(ends[0]);
    note(ends[1]);
  }
  return result;
}
int __wrap_socket(int domain, int type, int protocol) {
  return note(__real_socket(domain, type, protocol));
}
// Passes on all six arguments, as the C library does.
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f) {
  const long result = __real_syscall(number, a, b, c, d, e, f);
  if (number == SYS_pidfd_open) note(static_cast<int>(result));
  return result;
}
int __wrap_timerfd_create(int clock, int flags) { return note(__real_timerfd_create(clock, flags)); }
}

void close_our_descriptors() {
  for (std::size_t at = 0; at < ours.size(); ++at) {
    const std::uint64_t bits = ours[at].exchange(0, std::memory_order_relaxed);
    for (std::size_t bit = 0; bits != 0 && bit < kBits; ++bit) {
      if ((bits >> bit & 1) != 0) __real_close(static_cast<int>(at * kBits + bit));
    }
  }
}

}  // namespace azora::bindings
