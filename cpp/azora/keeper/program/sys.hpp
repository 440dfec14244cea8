#pragma once
// System calls without a C library: the program is resident once per service, so every page counts.
// Each returns what the kernel does: >= 0, or the negative errno. Only calls that both x86-64 and
// arm64 have. Threads: the program has one.
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdint>

namespace azora::keeper::sys {

#if defined(__x86_64__)
inline long call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
inline long call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  register long x5 asm("x5") = f;
  asm volatile("svc #0"
               : "+r"(x0)
               : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
               : "memory");
  return x0;
}
#else
#error "azora-keeper runs on x86-64 and arm64"
#endif

template <typename T>
long as_arg(T* pointer) {
  return reinterpret_cast<long>(pointer);
}
inline long as_arg(long value) { return value; }

template <typename... Args>
long invoke(long number, Args... args) {
  return call(number, as_arg(args)...);
}

// Files.
inline int open(const char* path, int flags, unsigned mode = 0) {
  return static_cast<int>(invoke(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, mode));
}
inline int open_at(int dir, const char* path, int flags, unsigned mode = 0) {
  return static_cast<int>(invoke(SYS_openat, dir, path, flags | O_CLOEXEC, mode));
}
inline long read(int fd, void* data, std::size_t size) {
  return invoke(SYS_read, fd, data, static_cast<long>(size));
}
inline long write(int fd, const void* data, std::size_t size) {
  return invoke(SYS_write, fd, data, static_cast<long>(size));
}
inline long read_at(int fd, void* data, std::size_t size, std::uint64_t offset) {
  return invoke(SYS_pread64, fd, data, static_cast<long>(size), static_cast<long>(offset));
}
inline long write_at(int fd, const void* data, std::size_t size, std::uint64_t offset) {
  return invoke(SYS_pwrite64, fd, data, static_cast<long>(size), static_cast<long>(offset));
}
inline void close(int fd) { invoke(SYS_close, fd); }
inline long close_range(unsigned first, unsigned last) { return invoke(SYS_close_range, first, last, 0); }
inline int duplicate(int from, int to, int flags = 0) {
  return static_cast<int>(invoke(SYS_dup3, from, to, flags));
}
inline long set_nonblocking(int fd) { return invoke(SYS_fcntl, fd, F_SETFL, O_NONBLOCK); }
inline long pipe(int fds[2]) { return invoke(SYS_pipe2, fds, O_CLOEXEC); }
inline long make_dir(const char* path, unsigned mode) { return invoke(SYS_mkdirat, AT_FDCWD, path, mode); }
inline long unlink(const char* path) { return invoke(SYS_unlinkat, AT_FDCWD, path, 0); }
inline long remove_dir(const char* path) { return invoke(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR); }
inline long change_dir(const char* path) { return invoke(SYS_chdir, path); }
inline long current_dir(char* path, std::size_t size) {
  return invoke(SYS_getcwd, path, static_cast<long>(size));
}
inline long read_link(const char* path, char* to, std::size_t size) {
  return invoke(SYS_readlinkat, AT_FDCWD, path, to, static_cast<long>(size));
}
inline long dir_entries(int fd, void* data, std::size_t size) {
  return invoke(SYS_getdents64, fd, data, static_cast<long>(size));
}
inline long seek(int fd, long offset, int whence) { return invoke(SYS_lseek, fd, offset, whence); }
inline long change_mode(int fd, unsigned mode) { return invoke(SYS_fchmod, fd, mode); }
inline long truncate(int fd, long size) { return invoke(SYS_ftruncate, fd, size); }
inline long status(int dir, const char* path, int flags, struct statx* info) {
  return invoke(SYS_statx, dir, path, flags, static_cast<long>(STATX_BASIC_STATS), info);
}
inline long attribute(const char* path, const char* name, void* value, std::size_t size) {
  return invoke(SYS_getxattr, path, name, value, static_cast<long>(size));
}
inline long ioctl(int fd, unsigned long request, void* argument) {
  return invoke(SYS_ioctl, fd, static_cast<long>(request), argument);
}
inline void set_umask(unsigned mask) { invoke(SYS_umask, mask); }

// Memory.
inline void* map(std::size_t size) {  // nullptr when there is none
  const long at = invoke(SYS_mmap, 0L, static_cast<long>(size), 3 /* read, write */,
                         0x4022 /* private, anonymous, no reserve */, -1, 0L);
  return at < 0 && at > -4096 ? nullptr : reinterpret_cast<void*>(at);
}
inline void unmap(void* at, std::size_t size) { invoke(SYS_munmap, at, static_cast<long>(size)); }
// Gives the pages back; they read as zero afterwards.
inline void discard(void* at, std::size_t size) {
  invoke(SYS_madvise, at, static_cast<long>(size), 4 /* MADV_DONTNEED */);
}

// Processes.
inline int own_pid() { return static_cast<int>(call(SYS_getpid)); }
inline unsigned own_uid() { return static_cast<unsigned>(call(SYS_getuid)); }
[[noreturn]] inline void exit(int code) {
  for (;;) invoke(SYS_exit_group, code);
}
inline long fork() { return invoke(SYS_clone, SIGCHLD, 0, 0, 0, 0); }
inline long clone3(clone_args* args, std::size_t size) {
  return invoke(SYS_clone3, args, static_cast<long>(size));
}
// 0: children remain, none of them ended; -ECHILD: no child is left.
inline long reap(int* status) { return invoke(SYS_wait4, -1, status, 0x40000001 /* WNOHANG, __WALL */, 0L); }
inline long wait_for(int pid, int* status) { return invoke(SYS_wait4, pid, status, 0x40000000 /* __WALL */, 0L); }
inline long kill(int pid, int signal) { return invoke(SYS_kill, pid, signal); }
inline int pidfd_open(int pid) { return static_cast<int>(invoke(SYS_pidfd_open, pid, 0)); }
inline long pidfd_kill(int pidfd, int signal) {
  return invoke(SYS_pidfd_send_signal, pidfd, signal, 0L, 0);
}
inline long execute(const char* path, char* const* argv, char* const* env) {
  return invoke(SYS_execve, path, argv, env);
}
inline long set_session() { return call(SYS_setsid); }
inline long set_groups(std::size_t count, const std::uint32_t* groups) {
  return invoke(SYS_setgroups, static_cast<long>(count), groups);
}
inline long set_gids(unsigned gid) { return invoke(SYS_setresgid, gid, gid, gid); }
inline long set_uids(unsigned uid) { return invoke(SYS_setresuid, uid, uid, uid); }
inline long process_control(int option, unsigned long a, unsigned long b = 0) {
  return invoke(SYS_prctl, option, static_cast<long>(a), static_cast<long>(b), 0, 0);
}
inline long limits(unsigned resource, const rlimit64* set, rlimit64* get) {
  return invoke(SYS_prlimit64, 0, resource, set, get);
}

// Signals. The kernel's set is 8 bytes; signal n is bit n-1.
using SignalSet = std::uint64_t;
constexpr SignalSet signal_bit(int signal) { return SignalSet{1} << (signal - 1); }
inline void block_signals(SignalSet set) {
  invoke(SYS_rt_sigprocmask, SIG_SETMASK, &set, 0L, static_cast<long>(sizeof set));
}
inline void default_disposition(int signal) {
  const std::uint64_t nothing[4] = {};  // handler SIG_DFL, no flags, no mask
  invoke(SYS_rt_sigaction, signal, nothing, 0L, static_cast<long>(sizeof(SignalSet)));
}
inline int signal_fd(SignalSet set) {
  return static_cast<int>(
      invoke(SYS_signalfd4, -1, &set, static_cast<long>(sizeof set), O_CLOEXEC | O_NONBLOCK));
}

// Waiting. timeout_ms < 0: without limit.
inline long poll(pollfd* fds, std::size_t count, std::int64_t timeout_ms) {
  const std::int64_t span[2] = {timeout_ms / 1000, timeout_ms % 1000 * 1'000'000};
  return invoke(SYS_ppoll, fds, static_cast<long>(count),
                as_arg(timeout_ms < 0 ? nullptr : &span[0]), 0L, static_cast<long>(sizeof(SignalSet)));
}
inline int epoll_create() { return static_cast<int>(invoke(SYS_epoll_create1, O_CLOEXEC)); }
inline long epoll_control(int epoll, int operation, int fd, epoll_event* event) {
  return invoke(SYS_epoll_ctl, epoll, operation, fd, event);
}
inline long epoll_wait(int epoll, epoll_event* events, int count, int timeout_ms) {
  return invoke(SYS_epoll_pwait, epoll, events, count, timeout_ms, 0L, static_cast<long>(sizeof(SignalSet)));
}

// Clocks.
inline std::int64_t clock_ns(int clock) {
  std::int64_t at[2] = {};
  invoke(SYS_clock_gettime, clock, at);
  return at[0] * 1'000'000'000 + at[1];
}
inline std::int64_t steady_ns() { return clock_ns(1); }
// Since the boot of the machine, as /proc/PID/stat dates processes.
inline std::uint64_t boot_ticks() { return static_cast<std::uint64_t>(clock_ns(7) / 10'000'000); }
inline std::int64_t wall_ms() { return clock_ns(0) / 1'000'000; }

// Sockets.
inline int socket() {
  return static_cast<int>(invoke(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}
inline long bind(int fd, const sockaddr_un* address) { return invoke(SYS_bind, fd, address, static_cast<long>(sizeof *address)); }
inline long listen(int fd, int backlog) { return invoke(SYS_listen, fd, backlog); }
inline long connect(int fd, const sockaddr_un* address) { return invoke(SYS_connect, fd, address, static_cast<long>(sizeof *address)); }
inline int accept(int fd) {
  return static_cast<int>(invoke(SYS_accept4, fd, 0L, 0L, SOCK_CLOEXEC | SOCK_NONBLOCK));
}
inline long send(int fd, const void* data, std::size_t size) {
  return invoke(SYS_sendto, fd, data, static_cast<long>(size), MSG_DONTWAIT | MSG_NOSIGNAL, 0L, 0L);
}
inline long receive(int fd, void* data, std::size_t size) {
  return invoke(SYS_recvfrom, fd, data, static_cast<long>(size), MSG_DONTWAIT, 0L, 0L);
}
inline long set_socket_option(int fd, int option, int value) {
  return invoke(SYS_setsockopt, fd, SOL_SOCKET, option, &value, static_cast<long>(sizeof value));
}
inline long socket_option(int fd, int option, void* value, unsigned* size) {
  return invoke(SYS_getsockopt, fd, SOL_SOCKET, option, value, size);
}

}  // namespace azora::keeper::sys
