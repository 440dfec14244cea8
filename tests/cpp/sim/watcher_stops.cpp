// Stops: asked for, or for failed checks; in their order, and not most of a group at a time.
#include <algorithm>
#include <utility>

#include "azora/model/service_name.hpp"
#include "sim/watcher.hpp"

namespace azora::orchestrator {

// A command may wait for the store. It was decided with what is published now, and is judged by that.
void Watcher::note_decision(const ServiceView& view) {
  Known& known = known_[view.spec->id];
  const Run run{view.serial, view.incarnation};
  if (view.lifecycle == Lifecycle::starting && known.start != run) {
    known.start = run;
    known.decided = now();
    known.needs_held = dependencies_hold(*view.spec);
    if (view.owner && view.owner->maintenance) found("maintenance", view.spec->id, "is started though it is to be left alone");
  }
  if (view.lifecycle == Lifecycle::stopping && (!known.stop || known.stop->run != run)) {
    known.stop = decision(run, *view.spec);
  }
}

Watcher::Decision Watcher::decision(Run run, const ServiceSpec& spec) {
  const bool explained = !dependencies_hold(spec) && waited_.contains(spec.id);
  return {.run = run, .in_order = stopping_, .explained = explained, .mass = mass_.of(spec)};
}

void Watcher::on_stop(const Command& command) {
  const auto named = id_of_.find(command.serial);
  if (named == id_of_.end()) return found("stop order", "", "told to stop what was never started");
  const std::string& id = named->second;
  const ViewPtr view = world_.view(id);
  if (!view || view->serial != command.serial) return;
  const auto place = known_.find(id);
  if (place == known_.end()) return;
  Known& known = place->second;
  const Run run{command.serial, command.incarnation};
  if (ended_.contains(run)) return;  // it had waited for the store, and came too late
  if (view->lifecycle == Lifecycle::stopping && view->healing && view->healing->cause == "operator") check_taken_along(id);
  const Decision decided = known.stop && known.stop->run == run ? *known.stop : decision(run, *view->spec);
  const bool asked_for = stopping_ || !world_.core.running() || view->desired != Desired::up || known.operator_acted ||
                         known.along == run;
  if (known.answered != command.incarnation) {
    // It ends for not having come up in time.
    if (!asked_for && decided.explained) {
      found("explained failures", id, "a start is stopped while a dependency is not satisfied");
    }
    return;
  }
  if (decided.in_order) check_stop_order(id);
  if (asked_for) return;
  if (world_.life_number() > 0 && !whose_.was_doubted(id) && !ending_.contains(command.serial)) {
    found("lives", id, "stopped for its checks though none has failed since the last orchestrator ended");
  }
  // Its exit will say whether it was for its checks: a verb may have waited for its turn.
  if (!decided.mass.empty() && mass_.can_tell() && !ending_.contains(command.serial)) known.stopped_in_mass = decided.mass;
  on_kill(id, *view);
}

void Watcher::check_stop_order(const std::string& id) {
  board_->in_order.for_each([&](const ViewPtr& other) {
    const auto& needs = other->spec->dependencies;
    const bool dependent = std::any_of(needs.begin(), needs.end(), [&](const Dependency& one) { return names_service(one.id, id); });
    if (dependent && world_.alive(other->serial)) {
      found("stop order", id, "stopped before " + other->spec->id + ", which needs it");
    }
  });
}

void Watcher::takes_along(const std::string& id) {
  const ViewPtr view = world_.view(id);
  if (!view || (view->lifecycle != Lifecycle::ready && view->lifecycle != Lifecycle::starting)) return;
  board_->in_order.for_each([&](const ViewPtr& other) {
    for (const Dependency& one : other->spec->dependencies) {
      const bool needs = one.id == id && one.strength == Strength::hard;
      const bool maintained = other->owner && other->owner->maintenance;
      if (needs && !maintained && world_.alive(other->serial)) first_[id].emplace(other->serial, other->incarnation);
    }
  });
}

void Watcher::check_taken_along(const std::string& id) {
  const auto first = first_.find(id);
  if (first == first_.end()) return;
  for (const Run& run : first->second) {
    if (!ended_.contains(run)) found("stop order", id, "stopped before " + id_of_[run.first] + ", which it takes along");
  }
}

// For its checks alone.
void Watcher::on_kill(const std::string& id, const ServiceView& view) {
  known_[id].killed = true;
  std::size_t members = 0;
  std::size_t down = 0;
  board_->in_order.for_each([&](const ViewPtr& other) {
    if (other->spec->group() != view.spec->group()) return;
    ++members;
    const auto at = known_.find(other->spec->id);
    down += at != known_.end() && at->second.killed ? 1U : 0U;
  });
  if (down > std::max<std::size_t>(1, members / 2)) {
    found("kill permits", id, std::to_string(down) + " of " + std::to_string(members) + " down by our own hand");
  }
}

}  // namespace azora::orchestrator
