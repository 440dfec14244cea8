#include "sim/life_watcher.hpp"

#include "azora/model/service_name.hpp"

namespace azora::orchestrator {
namespace {

// A store that hangs is waited for 4 s, a keeper is away for 5 s at most, a stop takes its time.
constexpr std::chrono::minutes kLongestLeftAlone{1};

}  // namespace

LifeWatcher::LifeWatcher(World& world, Watcher& watcher, StoreWatcher& store_watcher)
    : world_(world), watcher_(watcher), store_watcher_(store_watcher) {
  world_.keeper.on_command = [this, then = world_.keeper.on_command](const keeper::FakeKeeper::Command& command) {
    if (command.kind == keeper::FakeKeeper::Command::Kind::launch) on_launch(command);
    then(command);
  };
}

void LifeWatcher::life_ended(bool behind) {
  due_.clear();
  if (!behind && !watcher_.clock_set()) note_due();
  found_ = world_.store.image();
  behind_ = behind;
  was_behind_ = was_behind_ || behind;
}

void LifeWatcher::life_began() {
  began_ = world_.loop.now().steady;
  check_promises();
  check_believed();
}

void LifeWatcher::check_promises() {
  for (const auto& [name, promise] : store_watcher_.promises()) {
    std::size_t services = 0;
    world_.recorder.board->in_order.for_each([&](const ViewPtr& view) {
      services += names_service(name, view->spec->id) ? 1U : 0U;
    });
    if (promise.there != (services != 0)) {
      watcher_.found("lives", name, promise.there ? "an acknowledged registration is lost" : "an acknowledged removal is undone");
    }
    const ViewPtr view = world_.view(name);
    if (promise.wanted && view && view->desired != *promise.wanted) {
      watcher_.found("lives", name, "what its owner asked for, and was acknowledged, is lost");
    }
  }
}

void LifeWatcher::check_believed() {
  world_.recorder.board->in_order.for_each([&](const ViewPtr& view) {
    if (view->status != HealthStatus::healthy || view->spec->target.kind == ProbeKind::process) return;
    const auto row = found_.find(store::service_key(view->serial));
    if (row == found_.end()) return watcher_.found("lives", view->spec->id, "believed healthy, and not stored at all");
    const Result<store::ServiceRecord> record = store::decode_service({row->first, row->second});
    if (!record || record.value().status != HealthStatus::healthy) {
      watcher_.found("lives", view->spec->id, "believed healthy before its first check, and not stored as that");
    }
  });
}

// Stored as the distance from the moment of writing.
void LifeWatcher::note_due() {
  const Now now = world_.loop.now();
  for (const auto& [key, bytes] : world_.store.image()) {
    if (key.table != store::Table::services) continue;
    const Result<store::ServiceRecord> record = store::decode_service({key, bytes});
    if (!record || record.value().machine.lifecycle != Lifecycle::backoff || !record.value().machine.next_attempt) continue;
    const ViewPtr view = world_.view(record.value().id);
    if (!view || !view->spec->dependencies.empty()) continue;
    due_[record.value().serial] = now.steady - Millis(now.wall.ms - record.value().written.ms) + *record.value().machine.next_attempt;
  }
}

void LifeWatcher::on_launch(const keeper::FakeKeeper::Command& command) {
  const auto due = due_.extract(command.serial);
  if (due && !watcher_.was_acted_on(command.id) && world_.loop.now().steady + Millis(2) < due.mapped()) {
    watcher_.found("lives", command.id, "started before its time because the orchestrator was started again");
  }
}

void LifeWatcher::check_turn() {
  const int refusals = world_.keeper.refusals();
  if (refusals != refusals_ && !behind_) watcher_.found("lives", "", "a run was to be started beside one that lives");
  refusals_ = refusals;
  // A start that was made from memory, decided anew by the next orchestrator and called off before it left is known to its
  // shim alone.
  if (world_.life_number() == 0 || was_behind_ || world_.loop.now().steady - began_ < kLongestLeftAlone) return;
  for (const std::string& id : world_.keeper.left_alone()) watcher_.found("lives", id, "runs, and the orchestrator has not taken it over");
}

}  // namespace azora::orchestrator
