// What is expected of the next orchestrator: what was published, as far as it was stored.
#include <utility>

#include "sim/watcher.hpp"

namespace azora::orchestrator {
namespace {

std::optional<store::ServiceRecord> stored(const World& world, const std::string& id) {
  for (const auto& [key, bytes] : world.store.image()) {
    if (key.table != store::Table::services) continue;
    Result<store::ServiceRecord> record = store::decode_service({key, bytes});
    if (record && record.value().id == id && !record.value().leaving) return std::move(record).value();
  }
  return std::nullopt;
}

bool is_ending(const store::ServiceRecord& record) {
  const Lifecycle lifecycle = record.machine.lifecycle;
  return lifecycle == Lifecycle::stopping || lifecycle == Lifecycle::killing || lifecycle == Lifecycle::stuck ||
         lifecycle == Lifecycle::sweep;
}

}  // namespace

void Watcher::life_ended(bool behind) {
  tell("", behind ? "= the orchestrator ends, its store behind" : "= the orchestrator ends");
  owes_mass_event_ = stopping_ = false;
  restoring_ = true;
  first_.clear();
  launches_.clear();
  ended_.clear();
  waiting_.clear();
  waited_.clear();
  ending_.clear();
  mass_.life_ended();
  whose_.life_ended();
  reads_.life_ended();
  for (auto& [id, known] : known_) rewind(known, id, behind);
  clock_set_ = false;
}

void Watcher::rewind(Known& known, const std::string& id, bool behind) {
  known.called = false;  // a callable ends with the program
  known.checked = {};
  known.failures = 0;
  known.unanswered.reset();
  known.slot.reset();
  known.must_go_along.reset();
  known.stopped_in_mass.clear();
  known.start.reset();
  known.stop.reset();
  const std::optional<store::ServiceRecord> record = stored(world_, id);
  if (!record || (record->machine.lifecycle != Lifecycle::failed && !record->machine.told_failed)) {
    known.failed_told = false;
    known.may_fail_again = true;
  }
  if (record && is_ending(*record)) ending_.insert(record->serial);
  if (behind || clock_set_ || !record) {
    known.spent = 0;
    known.failed_at.reset();
  }
  if (!behind && record) return;
  known.incarnation = 0;
  known.operator_acted = true;  // what was decided from memory is decided anew
  known.may_fail_again = true;
  known.rests = known.killed = false;
}

}  // namespace azora::orchestrator
