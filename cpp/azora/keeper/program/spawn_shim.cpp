#include "azora/keeper/program/spawn_shim.hpp"

#include <errno.h>

#include "azora/keeper/program/channel.hpp"
#include "azora/keeper/program/fleet_dir.hpp"
#include "azora/keeper/program/text.hpp"

namespace azora::keeper {
namespace {

rlimit64 g_inherited_files{};
bool g_files_raised = false;

[[noreturn]] void fail(int error_pipe, long error) {
  const auto number = static_cast<int>(-error);
  sys::write(error_pipe, &number, sizeof number);
  sys::exit(127);
}

[[noreturn]] void become_shim(const ShimSpawn& spawn, const char* folder, int listener, int error_pipe) {
  sys::set_session();
  if (g_files_raised) sys::limits(RLIMIT_NOFILE, &g_inherited_files, nullptr);
  long failed = sys::change_dir(folder);
  if (failed < 0) fail(error_pipe, failed);
  // Fds 3 and 4 are those that we were given ourselves; only fd 3 is replaced.
  failed = sys::duplicate(listener, kListenerFd);
  if (failed < 0) fail(error_pipe, failed);
  sys::invoke(SYS_fcntl, kOrchestratorFd, F_SETFD, 0);
  const Path serial(spawn.serial);
  const char* argv[] = {"azora-keeper", "shim", spawn.ephemeral ? "ephemeral" : "durable", spawn.cgroup,
                        serial.c_str(), spawn.id, nullptr};
  const char* env[] = {nullptr};
  fail(error_pipe, sys::execute("/proc/self/exe", const_cast<char* const*>(argv), const_cast<char* const*>(env)));
}

int give_up(int listener, int error) {
  sys::close(listener);
  return error;
}

}  // namespace

void raise_file_limit() {
  if (sys::limits(RLIMIT_NOFILE, nullptr, &g_inherited_files) < 0) return;
  const rlimit64 most{g_inherited_files.rlim_max, g_inherited_files.rlim_max};
  g_files_raised = sys::limits(RLIMIT_NOFILE, &most, nullptr) == 0;
}

std::uint64_t file_limit() {
  rlimit64 now{};
  return sys::limits(RLIMIT_NOFILE, nullptr, &now) == 0 ? now.rlim_cur : 0;
}

int spawn_shim(const ShimSpawn& spawn) {
  const Path folder(spawn.serial);
  const long made = sys::make_dir(folder.c_str(), kPrivateDir);
  if (made < 0 && made != -EEXIST) return static_cast<int>(made);
  const int listener = listen_at(Path(spawn.serial, "/", kShimSocket).c_str());
  if (listener < 0) return listener;
  int error_pipe[2];
  const long piped = sys::pipe(error_pipe);
  if (piped < 0) return give_up(listener, static_cast<int>(piped));
  const long pid = sys::fork();
  if (pid == 0) become_shim(spawn, folder.c_str(), listener, error_pipe[1]);
  sys::close(error_pipe[1]);
  int error = 0;
  long got = -EINTR;
  // Waits for an exec of the program that we are running: it is in memory.
  while (pid > 0 && got == -EINTR) got = sys::read(error_pipe[0], &error, sizeof error);
  sys::close(error_pipe[0]);
  if (pid < 0) return give_up(listener, static_cast<int>(pid));
  sys::close(listener);
  return got == static_cast<long>(sizeof error) ? -error : static_cast<int>(pid);
}

}  // namespace azora::keeper
