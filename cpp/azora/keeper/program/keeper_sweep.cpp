#include "azora/keeper/program/keeper_sweep.hpp"

#include "azora/keeper/program/directory.hpp"
#include "azora/keeper/program/proc.hpp"
#include "azora/keeper/program/text.hpp"

namespace azora::keeper {

void LostShims::reap() {
  int status = 0;
  long pid = 0;
  bool orphans = false;
  while ((pid = sys::reap(&status)) > 0) {
    ShimEntry* entry = records_.table().find_shim(static_cast<int>(pid));
    if (entry == nullptr || !entry->is_child) {
      orphans = true;
    } else {
      on_shim_ended(*entry);
    }
  }
  if (orphans || records_.has_lost()) sweep();
}

void LostShims::on_shim_ended(ShimEntry& entry) {
  shims_.hear_last(entry);  // its last frames can still be read
  entry.has_shim = false;
  entry.pid = 0;
  const Phase phase = entry.record.phase;
  if (has_process(phase)) {
    entry.sweeping = true;
    entry.foreign_orphans = !entry.is_child;
    return retry_.soon(sys::steady_ns());
  }
  if (phase == Phase::unknown) {  // it never said what it ran: the orchestrator may know
    entry.record.phase = Phase::lost;
    records_.changed(entry);
  }
  if (phase == Phase::idle || entry.forgotten) shims_.release(entry);
}

void LostShims::on_remembered(ShimEntry& entry) {
  entry.sweeping = true;
  entry.foreign_orphans = true;
  sweep();
}

void LostShims::retry_if_due() {
  if (!retry_.is_set() || !retry_.is_due(sys::steady_ns())) return;
  records_.table().for_each([this](ShimEntry& entry) {
    if (!entry.has_shim || entry.link >= 0) return;
    if (!shims_.attach(entry) && !entry.is_child) on_shim_ended(entry);
  });
  sweep();
  const bool more = records_.table().first([](const ShimEntry& entry) {
    return entry.sweeping || (entry.has_shim && entry.link < 0);
  }) != nullptr;
  retry_.tried(sys::steady_ns(), more);
}

// A process that is missed in one pass, because it moved from parent to parent, is found in the next one: `lost` is
// reported after two passes that found nothing.
void LostShims::sweep() {
  int unattributed = kill_left_over();
  const auto swept = [&](const ShimEntry& entry) { return entry.sweeping && is_swept(entry, unattributed); };
  if (records_.table().first(swept) != nullptr) {
    unattributed = kill_left_over();
    records_.table().for_each([&](ShimEntry& entry) {
      if (!swept(entry)) return;
      entry.sweeping = false;
      entry.record.phase = Phase::lost;
      records_.changed(entry);
      if (entry.forgotten) shims_.release(entry);
    });
  }
  if (records_.has_lost()) retry_.soon(sys::steady_ns());
}

// Kills what killed shims left and counts it for each service. Returns how many processes below us cannot be attributed
// to a service.
int LostShims::kill_left_over() {
  records_.table().for_each([](ShimEntry& entry) {
    entry.left = 0;
    entry.same_session = entry.sweeping && is_same_session(entry.record);
  });
  const int unattributed = kill_orphans_below();
  kill_orphans_elsewhere();
  return unattributed;
}

// Whatever is below us and not a shim, or below one, is an orphan of a killed one.
int LostShims::kill_orphans_below() {
  PidList shims;
  records_.table().for_each([&](const ShimEntry& entry) {
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
    if (!read_traces(found.at(i), token_, &traces)) continue;
    ShimEntry* service = lost_service_of(traces, false);
    ++(service == nullptr ? unattributed : service->left);
    add_children(found.at(i), &found);  // before their parent is hit
    kill_exactly(traces.stat);
  }
  return unattributed;
}

// What a shim that was not our child leaves goes to other parents: all processes of the machine are looked at.
void LostShims::kill_orphans_elsewhere() {
  if (records_.table().first([](const ShimEntry& entry) { return entry.sweeping && entry.foreign_orphans; }) == nullptr) return;
  for_each_name("/proc", [this](const char* name) {
    const auto pid = static_cast<int>(number_or_zero(name));
    Traces traces;
    if (pid <= 0 || pid == sys::own_pid() || !read_traces(pid, token_, &traces)) return;
    ShimEntry* service = lost_service_of(traces, true);
    if (service == nullptr) return;
    PidList tree;
    tree.add(pid);
    service->left += kill_with_descendants(&tree);
  });
}

ShimEntry* LostShims::lost_service_of(const Traces& traces, bool elsewhere) {
  return records_.table().first([&](const ShimEntry& entry) {
    return entry.sweeping && (entry.foreign_orphans || !elsewhere) && is_of(entry.record, traces, entry.same_session);
  });
}

// An orphan that cannot be attributed holds up every service that it may be of.
bool LostShims::is_swept(const ShimEntry& entry, int unattributed) {
  return cgroups_.kill_all(entry.record.serial) && entry.left == 0 && (entry.foreign_orphans || unattributed == 0);
}

}  // namespace azora::keeper
