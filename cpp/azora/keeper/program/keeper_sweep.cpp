// Shims that ended. One that was killed leaves processes below it: they are killed here, and `lost` is
// said when none is left.
#include <errno.h>

#include "azora/keeper/program/directory.hpp"
#include "azora/keeper/program/keeper_process.hpp"
#include "azora/keeper/program/proc.hpp"
#include "azora/keeper/program/search.hpp"
#include "azora/keeper/program/sweep.hpp"

namespace azora::keeper {
namespace {

constexpr int kFirstRetryMs = 10;
constexpr int kLastRetryMs = 1000;

}  // namespace

void KeeperProcess::reap() {
  int status = 0;
  long pid = 0;
  bool orphans = false;
  while ((pid = sys::reap(&status)) > 0) {
    ShimEntry* entry = shims_.find_shim(static_cast<int>(pid));
    if (entry == nullptr || !entry->is_child) {
      orphans = true;
    } else {
      on_shim_gone(*entry);
    }
  }
  if (orphans || shims_.first([](const ShimEntry& entry) { return entry.sweeping; }) != nullptr) sweep_lost();
}

void KeeperProcess::on_shim_gone(ShimEntry& entry) {
  while (entry.link >= 0 && hear(entry) == Heard::some) {
    // What it said last is still there to be read.
  }
  drop_shim_link(entry);
  entry.has_shim = false;
  entry.pid = 0;
  const Phase phase = entry.record.phase;
  if (has_process(phase)) {
    entry.sweeping = true;
    entry.foreign_orphans = !entry.is_child;
    return try_again_soon();
  }
  if (phase == Phase::unknown) {  // it never said what it ran: the orchestrator may know
    entry.record.phase = Phase::lost;
    changed(entry);
  }
  if (phase == Phase::idle || entry.forgotten) release(entry);
}

void KeeperProcess::try_again_soon() {
  if (retry_ms_ > 0) return;
  retry_ms_ = kFirstRetryMs;
  retry_at_ns_ = sys::steady_ns() + std::int64_t{retry_ms_} * 1'000'000;
}

void KeeperProcess::retry() {
  const int waited_ms = retry_ms_;
  retry_ms_ = 0;
  shims_.for_each([this](ShimEntry& entry) {
    if (!entry.has_shim || entry.link >= 0) return;
    if (!attach(entry) && !entry.is_child) on_shim_gone(entry);
  });
  sweep_lost();
  const bool more = shims_.first([](const ShimEntry& entry) {
    return entry.sweeping || (entry.has_shim && entry.link < 0);
  }) != nullptr;
  if (!more) {
    retry_ms_ = 0;
    return;
  }
  retry_ms_ = waited_ms * 2 < kLastRetryMs ? waited_ms * 2 : kLastRetryMs;
  retry_at_ns_ = sys::steady_ns() + std::int64_t{retry_ms_} * 1'000'000;
}

// Whatever is below us and no shim is an orphan of a killed one; all at once, whosever it was.
void KeeperProcess::sweep_lost() {
  PidList shims;
  shims_.for_each([&](const ShimEntry& entry) {
    if (entry.has_shim && entry.is_child) shims.add(entry.pid);
  });
  kill_descendants(&shims);
  PidList children;
  add_children(sys::own_pid(), &children);
  bool only_shims_left = children.count() == shims.count();
  for (int i = 0; i < children.count(); ++i) only_shims_left = only_shims_left && shims.contains(children.at(i));
  shims_.for_each([&](ShimEntry& entry) {
    if (!entry.sweeping || !is_swept(entry, only_shims_left)) return;
    entry.sweeping = false;
    entry.record.phase = Phase::lost;
    changed(entry);
    if (entry.forgotten) release(entry);
  });
  if (shims_.first([](const ShimEntry& entry) { return entry.sweeping; }) != nullptr) try_again_soon();
}

bool KeeperProcess::is_swept(const ShimEntry& entry, bool only_shims_left) {
  bool none_left = true;
  if (cgroup_.size() > 0) {
    const Path cgroup = cgroup_path(cgroup_.c_str(), arguments_.token, entry.record.serial);
    none_left = kill_cgroup(cgroup.c_str());
    if (none_left) sys::remove_dir(cgroup.c_str());
  }
  if (entry.foreign_orphans) return kill_traces(entry.record) == 0 && none_left;
  return only_shims_left && none_left;
}

}  // namespace azora::keeper
