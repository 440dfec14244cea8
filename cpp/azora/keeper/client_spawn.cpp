#include "azora/keeper/client_spawn.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "azora/base/file_limit.hpp"
#include "azora/keeper/system_words.hpp"

// clone() by its other name: the thread sanitizer takes the usual one for a fork, after which it stops looking;
// but this child shares our memory and has ended before we go on.
extern "C" int __clone(int (*body)(void*), void* stack, int flags, void* argument, ...);

namespace azora::keeper {
namespace {

// The same values as in the program's own main.hpp.
constexpr int kListenerFd = 3;
constexpr int kOrchestratorFd = 4;
constexpr int kFreeFd = 10;  // descriptors from here on are not among those the child is given
constexpr std::size_t kStack = 128 * 1024;

Error failed(const std::string& program, const std::string& why) {
  return Error{ErrorCode::keeper_failed, "the keeper \"" + program + "\" cannot be started: " + why};
}

Fd copy_above(int fd) { return Fd(::fcntl(fd, F_DUPFD_CLOEXEC, kFreeFd)); }

struct Order {
  const char* program = nullptr;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  char* const* argv = nullptr;
  char* const* env = nullptr;
  const rlimit* files = nullptr;  // the limit that it gets when ours is higher
  int spawn_error = 0;
  int status = 0;
  bool reaped = false;
};

// The intermediate process. It shares our memory and our thread is suspended meanwhile, so it may use what we
// may; it must not return, and the instruments of the sanitizers take it for a part of our thread.
__attribute__((no_sanitize("address", "thread"))) int intermediate(void* argument) {
  auto* order = static_cast<Order*>(argument);
  pid_t pid = 0;
  // Limits belong to the process, even though it shares our memory.
  if (order->files != nullptr) ::setrlimit(RLIMIT_NOFILE, order->files);
  order->spawn_error =
      posix_spawn(&pid, order->program, &order->actions, &order->attributes, order->argv, order->env);
  if (order->spawn_error == 0) {
    pid_t reaped = 0;
    do {
      reaped = ::waitpid(pid, &order->status, 0);
    } while (reaped < 0 && errno == EINTR);
    order->reaped = reaped == pid;
  }
  ::syscall(SYS_exit_group, 0);
  return 0;
}

// False: the system has no process to give.
bool run_intermediate(Order* order) {
  void* stack = ::mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) return false;
  const int pid = ::__clone(intermediate, static_cast<std::byte*>(stack) + kStack, CLONE_VM | CLONE_VFORK, order);
  const int error = errno;
  if (pid > 0) {
    while (::waitpid(pid, nullptr, __WALL) < 0 && errno == EINTR) {
    }
  }
  ::munmap(stack, kStack);
  errno = error;
  return pid > 0;
}

std::string read_all(const Fd& pipe) {
  std::array<char, 512> text{};
  const ssize_t size = ::read(pipe.get(), text.data(), text.size());
  std::string words(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  while (!words.empty() && words.back() == '\n') words.pop_back();
  return words;
}

}  // namespace

Result<void> start_keeper(const KeeperSpawn& spawn, const Fd& listener) {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) < 0) return failed(spawn.program, system_words(errno));
  const Fd words(ends[0]);
  Fd words_end(ends[1]);
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const Fd us(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  const Fd high_null = copy_above(null.get());
  const Fd high_words = copy_above(words_end.get());
  const Fd high_listener = copy_above(listener.get());
  const Fd high_us = copy_above(us.get());
  words_end.reset();
  if (!high_null || !high_words || !high_listener || !high_us) {
    return failed(spawn.program,
                  "no file descriptors are left (" + system_words(errno) + "); raise the limit of open files");
  }

  std::string program = spawn.program;
  std::string role = "keeper";
  std::string mode = spawn.ephemeral ? "ephemeral" : "durable";
  std::string token = spawn.token;
  std::string no_cgroups = "AZORA_NO_CGROUP=1";
  const std::array<char*, 5> argv{program.data(), role.data(), mode.data(), token.data(), nullptr};
  const std::array<char*, 2> env{spawn.cgroups ? nullptr : no_cgroups.data(), nullptr};

  Order order;
  order.program = spawn.program.c_str();
  order.argv = argv.data();
  order.env = env.data();
  if (inherited_files()) order.files = &*inherited_files();
  posix_spawn_file_actions_init(&order.actions);
  posix_spawn_file_actions_adddup2(&order.actions, high_null.get(), 0);
  posix_spawn_file_actions_adddup2(&order.actions, high_null.get(), 1);
  posix_spawn_file_actions_adddup2(&order.actions, high_words.get(), 2);
  posix_spawn_file_actions_adddup2(&order.actions, high_listener.get(), kListenerFd);
  posix_spawn_file_actions_adddup2(&order.actions, high_us.get(), kOrchestratorFd);
  posix_spawn_file_actions_addchdir_np(&order.actions, spawn.folder.c_str());
  posix_spawnattr_init(&order.attributes);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&order.attributes, &none);
  posix_spawnattr_setsigdefault(&order.attributes, &all);
  posix_spawnattr_setflags(&order.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const bool ran = run_intermediate(&order);
  const int error = errno;
  posix_spawn_file_actions_destroy(&order.actions);
  posix_spawnattr_destroy(&order.attributes);

  if (!ran) return failed(spawn.program, system_words(error) + "; check the limit of processes");
  if (order.spawn_error == ENOENT) {
    return failed(spawn.program, "there is no such program; reinstall azora-orchestrator or set its path");
  }
  if (order.spawn_error == EACCES) {
    return failed(spawn.program,
                  "it cannot be executed: permission denied; make it executable or reinstall azora-orchestrator");
  }
  if (order.spawn_error != 0) return failed(spawn.program, system_words(order.spawn_error));
  // Where the host ignores SIGCHLD there is no status; then the socket shows it.
  if (order.reaped && order.status != 0) {
    const std::string said = read_all(words);
    return failed(spawn.program, said.empty() ? "it ended at once; reinstall azora-orchestrator" : said);
  }
  return {};
}

}  // namespace azora::keeper
