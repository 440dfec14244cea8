#include <errno.h>
#include <sys/prctl.h>

#include <new>

#include "azora/keeper/program/channel.hpp"
#include "azora/keeper/program/daemon.hpp"
#include "azora/keeper/program/directory.hpp"
#include "azora/keeper/program/fleet_dir.hpp"
#include "azora/keeper/program/keeper_process.hpp"
#include "azora/keeper/program/keeper_tags.hpp"
#include "azora/keeper/program/spawn_shim.hpp"

namespace azora::keeper {

KeeperProcess::KeeperProcess(const KeeperArguments& arguments) : arguments_(arguments) {
  raise_file_limit();
  if (arguments.cgroups) cgroup_ = cgroup_base();
  epoll_ = sys::epoll_create();
  signals_ = open_signals();
  watch(signals_, tag(Source::signals));
  watch(kListenerFd, tag(Source::listener));
  watch(kOrchestratorFd, tag(Source::orchestrator));
}

int KeeperProcess::run() {
  if (!shims_.ok() || epoll_ < 0 || signals_ < 0) return 1;
  while (!left_) turn();
  return 0;
}

void KeeperProcess::watch(int fd, std::uint64_t tag, bool for_room) {
  epoll_event event{};
  event.events = for_room ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.u64 = tag;
  if (sys::epoll_control(epoll_, EPOLL_CTL_MOD, fd, &event) < 0) {
    sys::epoll_control(epoll_, EPOLL_CTL_ADD, fd, &event);
  }
}

void KeeperProcess::turn() {
  constexpr int kEvents = 32;
  epoll_event events[kEvents];
  const long count = sys::epoll_wait(epoll_, events, kEvents, wait_ms());
  for (long i = 0; i < count && !left_; ++i) {
    const std::uint64_t tag = events[i].data.u64;
    switch (source_of(tag)) {
      case Source::signals: {
        const Signals seen = read_signals(signals_);
        if (seen.child) reap();
        left_ = seen.terminate;
        break;
      }
      case Source::listener: accept_candidate(); break;
      case Source::candidate: read_candidate(); break;
      case Source::link: read_link(); break;
      case Source::orchestrator:
        sys::epoll_control(epoll_, EPOLL_CTL_DEL, kOrchestratorFd, nullptr);
        orchestrator_ended_ = true;  // the shims see it, too: ephemeral ones end by themselves
        ending_ = arguments_.ephemeral;
        left_ = !arguments_.ephemeral;
        break;
      case Source::shim:
        // None: it was released earlier in this turn.
        if (ShimEntry* entry = shims_.find(serial_of(tag))) {
          read_shim(*entry);
          entry = shims_.find(serial_of(tag));
          if (entry != nullptr && entry->link_waits) send_to_shim(*entry);
        }
        break;
    }
  }
  if (left_) return;
  if (retry_ms_ > 0 && sys::steady_ns() >= retry_at_ns_) retry();
  send_to_orchestrator();
  end_if_done();
}

int KeeperProcess::wait_ms() const {
  if (retry_ms_ == 0) return -1;
  const std::int64_t left = retry_at_ns_ - sys::steady_ns();
  return left > 0 ? static_cast<int>(left / 1'000'000) + 1 : 0;
}

void KeeperProcess::end_if_done() {
  if (!ending_ || left_) return;
  if (shims_.first([](const ShimEntry& entry) { return entry.has_shim || entry.sweeping; }) != nullptr) return;
  if (!cleaned_) {
    cleaned_ = true;
    if (arguments_.ephemeral) remove_fleet_files();
    ended_pending_ = true;
    send_to_orchestrator();
  }
  if (!ended_pending_ || link_ < 0 || orchestrator_ended_) left_ = true;
}

// Shims remove their own files. This removes those of killed ones, and the directory with the last of them.
void KeeperProcess::remove_fleet_files() {
  char own[Path::kRoom];
  if (sys::current_dir(own, sizeof own) <= 0) return;
  for (bool removed = true; removed;) {
    removed = false;
    for_each_name(".", [&](const char* name) {
      if (number_or_zero(name) == 0) return;
      const int alive = connect_to(Path(name, "/", kShimSocket).c_str());
      if (alive >= 0) {
        sys::close(alive);
      } else if (alive == -ECONNREFUSED || alive == -ENOENT) {
        removed |= remove_service_files(name);
      }
    });
  }
  sys::change_dir("/");
  remove_fleet_dir(own);
}

int keeper_main(const KeeperArguments& arguments) {
  sys::process_control(PR_SET_NAME, reinterpret_cast<unsigned long>("azora-keeper"));
  alignas(KeeperProcess) static char memory[sizeof(KeeperProcess)];
  return (::new (memory) KeeperProcess(arguments))->run();
}

}  // namespace azora::keeper
