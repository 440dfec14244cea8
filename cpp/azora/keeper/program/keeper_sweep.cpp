// Shims that ended. One that was killed leaves processes below it: they are killed here, and `lost` is said of
// its service when none of that service is left.
#include <errno.h>

#include "azora/keeper/program/directory.hpp"
#include "azora/keeper/program/keeper_process.hpp"
#include "azora/keeper/program/proc.hpp"
#include "azora/keeper/program/search.hpp"
#include "azora/keeper/program/text.hpp"

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
      on_shim_ended(*entry);
    }
  }
  if (orphans || shims_.first([](const ShimEntry& entry) { return entry.sweeping; }) != nullptr) sweep_lost();
}

void KeeperProcess::on_shim_ended(ShimEntry& entry) {
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
    if (!attach(entry) && !entry.is_child) on_shim_ended(entry);
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

// A process that is missed in one pass, because it moved from parent to parent, is found in the next: `lost` is
// said after two that found nothing.
void KeeperProcess::sweep_lost() {
  int unattributed = kill_left_over();
  const auto swept = [&](const ShimEntry& entry) { return entry.sweeping && is_swept(entry, unattributed); };
  if (shims_.first(swept) != nullptr) {
    unattributed = kill_left_over();
    shims_.for_each([&](ShimEntry& entry) {
      if (!swept(entry)) return;
      entry.sweeping = false;
      entry.record.phase = Phase::lost;
      changed(entry);
      if (entry.forgotten) release(entry);
    });
  }
  if (shims_.first([](const ShimEntry& entry) { return entry.sweeping; }) != nullptr) try_again_soon();
}

// Kills what killed shims left and counts it for each service. Returns how many processes below us are of none
// that can be said.
int KeeperProcess::kill_left_over() {
  shims_.for_each([](ShimEntry& entry) {
    entry.left = 0;
    entry.same_session = entry.sweeping && is_same_session(entry.record);
  });
  const int unattributed = kill_orphans_below();
  kill_orphans_elsewhere();
  return unattributed;
}

// Whatever is below us and not a shim, or below one, is an orphan of a killed one.
int KeeperProcess::kill_orphans_below() {
  PidList shims;
  shims_.for_each([&](const ShimEntry& entry) {
    if (entry.has_shim && entry.is_child) shims.add(entry.pid);
  });
  PidList children;
  add_children(sys::own_pid(), &children);
  PidList found;
  for (int i = 0; i < children.count(); ++i) {
    if (!shims.contains(children.at(i))) found.add(children.at(i));
  }
  int unattributed = 0;
  for (int i = 0; i < found.count(); ++i) {
    Traces traces;
    if (!read_traces(found.at(i), arguments_.token, &traces)) continue;
    ShimEntry* service = lost_service_of(traces, false);
    ++(service == nullptr ? unattributed : service->left);
    add_children(found.at(i), &found);  // before their parent is hit
    kill_exactly(traces.stat);
  }
  return unattributed;
}

// What a shim that was not our child leaves goes to other parents: all processes of the machine are looked at.
void KeeperProcess::kill_orphans_elsewhere() {
  if (shims_.first([](const ShimEntry& entry) { return entry.sweeping && entry.foreign_orphans; }) == nullptr) return;
  for_each_name("/proc", [this](const char* name) {
    const auto pid = static_cast<int>(number_or_zero(name));
    Traces traces;
    if (pid <= 0 || pid == sys::own_pid() || !read_traces(pid, arguments_.token, &traces)) return;
    ShimEntry* service = lost_service_of(traces, true);
    if (service == nullptr) return;
    PidList tree;
    tree.add(pid);
    service->left += kill_with_descendants(&tree);
  });
}

ShimEntry* KeeperProcess::lost_service_of(const Traces& traces, bool elsewhere) {
  return shims_.first([&](const ShimEntry& entry) {
    return entry.sweeping && (entry.foreign_orphans || !elsewhere) && is_of(entry.record, traces, entry.same_session);
  });
}

// An orphan that cannot be attributed holds up every service that it may be of.
bool KeeperProcess::is_swept(const ShimEntry& entry, int unattributed) {
  bool none_left = true;
  if (cgroup_.size() > 0) {
    const Path cgroup = cgroup_path(cgroup_.c_str(), arguments_.token, entry.record.serial);
    none_left = kill_cgroup(cgroup.c_str());
    if (none_left) sys::remove_dir(cgroup.c_str());
  }
  return none_left && entry.left == 0 && (entry.foreign_orphans || unattributed == 0);
}

}  // namespace azora::keeper
