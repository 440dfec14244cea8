#include "azora/keeper/program/main.hpp"

#include "azora/keeper/program/daemon.hpp"
#include "azora/keeper/program/sys.hpp"
#include "azora/keeper/program/text.hpp"

namespace azora::keeper {
namespace {

constexpr int kUsage = 2;
constexpr int kNoFork = 1;

int usage() {
  constexpr char kText[] = "azora-keeper is started by azora-orchestrator; do not run it by hand\n";
  sys::write(2, kText, sizeof kText - 1);
  return kUsage;
}

bool is_open(int fd) { return sys::invoke(SYS_fcntl, fd, F_GETFD) >= 0; }

// Fds 0 to 2 belong to the process that started us. Without a null device (an empty chroot) they stay.
void let_go_of_terminal() {
  const int null = sys::open("/dev/null", O_RDWR);
  if (null < 0) return;
  for (int fd = 0; fd <= 2; ++fd) sys::duplicate(null, fd);
  if (null > 2) sys::close(null);
}

// Becomes a part of a folder's name.
bool is_token(const char* text) {
  for (const char* at = text; *at != 0; ++at) {
    if (!is_digit(*at) && !(*at >= 'a' && *at <= 'z') && *at != '-') return false;
  }
  return *text != 0;
}

bool has(char** env, const char* name_and_equals) {
  for (; *env != nullptr; ++env) {
    if (starts_with(*env, name_and_equals) && (*env)[size_of(name_and_equals)] != 0) return true;
  }
  return false;
}

}  // namespace

int run(int argc, char** argv, char** env) {
  if (argc < 4 || !is_open(kListenerFd) || !is_open(kOrchestratorFd)) return usage();
  const bool ephemeral = equal(argv[2], "ephemeral");
  if (!ephemeral && !equal(argv[2], "durable")) return usage();
  if (equal(argv[1], "keeper") && is_token(argv[3])) {
    const long child = sys::fork();
    if (child != 0) return child > 0 ? 0 : kNoFork;
    sys::set_session();
    become_daemon();
    let_go_of_terminal();
    return keeper_main({ephemeral, argv[3], !has(env, "AZORA_NO_CGROUP=")});
  }
  if (equal(argv[1], "shim") && argc >= 5) {
    become_daemon();
    return shim_main({ephemeral, equal(argv[3], "-") ? nullptr : argv[3], to_number(argv[4])});
  }
  return usage();
}

}  // namespace azora::keeper
