#include "azora/keeper/program/keeper_process.hpp"

#include <errno.h>
#include <sys/prctl.h>

#include <new>

#include "azora/keeper/program/channel.hpp"
#include "azora/keeper/program/directory.hpp"
#include "azora/keeper/program/fleet_dir.hpp"
#include "azora/keeper/program/keeper_tags.hpp"
#include "azora/keeper/program/spawn_shim.hpp"

namespace azora::keeper {

KeeperProcess::KeeperProcess(const KeeperArguments& arguments)
    : ephemeral_(arguments.ephemeral),
      cgroups_(arguments.cgroups, arguments.token),
      orchestrator_(poll_),
      shims_(poll_, records_, orchestrator_, retry_, cgroups_, ephemeral_),
      lost_(records_, shims_, retry_, cgroups_, arguments.token),
      commands_(records_, orchestrator_, shims_, lost_) {
  raise_file_limit();
  poll_.watch(kListenerFd, tag(Source::listener));
  poll_.watch(kOrchestratorFd, tag(Source::orchestrator));
}

int KeeperProcess::run() {
  if (!records_.ok() || !poll_.ok()) return 1;
  while (!is_over()) turn();
  return 0;
}

void KeeperProcess::turn() {
  constexpr int kEvents = 32;
  epoll_event events[kEvents];
  const long count = poll_.wait(events, kEvents, retry_.is_set() ? retry_.wait_ms(sys::steady_ns()) : -1);
  for (long i = 0; i < count && !is_over(); ++i) on_event(events[i].data.u64);
  if (is_over()) return;
  lost_.retry_if_due();
  orchestrator_.send_owed(records_);
  end_if_done();
}

void KeeperProcess::on_event(std::uint64_t tag) {
  switch (source_of(tag)) {
    case Source::signals: {
      const Signals seen = poll_.read();
      if (seen.child) lost_.reap();
      left_ = seen.terminate;
      return;
    }
    case Source::listener: return orchestrator_.accept_candidate();
    case Source::candidate:
      if (orchestrator_.read_candidate()) shims_.attach_existing();
      return;
    case Source::link: return commands_.read();
    case Source::orchestrator: return on_orchestrator_ended();
    case Source::shim: return on_shim(serial_of(tag));
  }
}

void KeeperProcess::on_orchestrator_ended() {
  poll_.unwatch(kOrchestratorFd);
  orchestrator_ended_ = true;  // the shims see it, too: ephemeral ones end by themselves
  left_ = !ephemeral_;
  commands_.end();
}

void KeeperProcess::on_shim(std::uint64_t serial) {
  ShimEntry* entry = records_.table().find(serial);
  if (entry == nullptr) return;  // it was released earlier in this turn
  if (!shims_.read(*entry)) lost_.on_shim_ended(*entry);
  entry = records_.table().find(serial);
  if (entry != nullptr && entry->link_waits) shims_.send(*entry);
}

void KeeperProcess::end_if_done() {
  if (!commands_.ending() || is_over()) return;
  const auto is_there = [](const ShimEntry& entry) { return entry.has_shim || entry.sweeping; };
  if (records_.table().first(is_there) != nullptr) return;
  if (!cleaned_) {
    cleaned_ = true;
    if (ephemeral_) remove_fleet_files();
    orchestrator_.owe(OrchestratorLink::Owed::ended);
    orchestrator_.send_owed(records_);
  }
  const bool said = !orchestrator_.owes(OrchestratorLink::Owed::ended);
  if (said || !orchestrator_.is_open() || orchestrator_ended_) left_ = true;
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
