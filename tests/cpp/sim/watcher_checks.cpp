// Checks: who is asked, and what follows from the answers.
#include <utility>

#include "sim/watcher.hpp"

namespace azora::orchestrator {
namespace {

constexpr std::chrono::minutes kLongestHesitation{2};  // of verbs that wait for their turn

}  // namespace

void Watcher::on_ask(const health::ProbeRequest& request) {
  if (world_.recorder.published != world_.recorder.events.size()) {
    found("order of a turn", "", "a probe before its turn's events were published");
  }
  if (ended_.contains({request.serial, request.incarnation})) {
    found("the dead are not asked", id_of_[request.serial], "probed after its exit was told");
  }
}

// Whatever its action: a service that fails its checks is told unhealthy, and acted on where there is an action.
void Watcher::on_answer(const health::ProbeResult& result) {
  const bool answered = result.outcome == health::Outcome::answered && result.http_status < 500;
  if (answered) passed_.emplace(result.serial, result.incarnation);
  ViewPtr view;
  board_->in_order.for_each([&](const ViewPtr& one) {
    if (one->serial == result.serial) view = one;
  });
  if (!view || result.outcome == health::Outcome::cancelled) return;
  Known& known = known_[view->spec->id];
  const std::pair checked(result.incarnation, result.generation);
  const bool same = std::exchange(known.checked, checked) == checked;
  const bool current = result.incarnation == view->incarnation && result.generation == view->generation;
  if (!answered && current) whose_.check_failed(view->spec->id);
  const bool counts = current && (view->lifecycle == Lifecycle::ready || view->lifecycle == Lifecycle::watching);
  known.failures = answered || !counts ? 0 : same ? known.failures + 1 : 1;
  // Some may have been under way when it became ready or its checks began anew.
  constexpr int kUnderWay = 2;
  const ProbeSpec& probe = view->spec->probe;
  if (known.failures > probe.unhealthy_threshold + kUnderWay && view->status != HealthStatus::unhealthy) {
    found("checks count", view->spec->id, std::to_string(known.failures) + " failed in a row and it is " +
                                              std::string(wire_name(view->status)));
  }
  if (known.failures <= probe.restart_threshold + kUnderWay || !may_be_acted_on(*view)) return known.unanswered.reset();
  if (!known.unanswered) known.unanswered = now();
  if (now() - *known.unanswered > kLongestHesitation) {
    found("checks count", view->spec->id, "fails them and nothing is done about it");
  }
}

// A check counts by the last answer, which is one to the present configuration of the present incarnation.
void Watcher::on_counted(const Recorder::Seen& event) {
  const auto known = known_.find(event.id);
  const ViewPtr view = world_.view(event.id);
  if (known == known_.end() || !view) return;
  if (ended_.contains({view->serial, event.incarnation})) {
    found("own answers", event.id, "an answer is counted after its exit was told");
  }
  if (known->second.checked != std::pair(event.incarnation, view->generation)) {
    found("own answers", event.id, "an answer that belongs to another incarnation or configuration is counted");
  }
}

// Nothing that watchers can see hinders it: neither the owner nor a dependency, no brake, no other member that is down.
bool Watcher::may_be_acted_on(const ServiceView& view) {
  if (!view.spec->action->acts || view.spec->restart->on == RestartOn::never) return false;
  if (view.lifecycle != Lifecycle::ready || view.desired != Desired::up) return false;
  if (waiting_.contains(view.spec->id) || !mass_.can_tell() || !mass_.of(*view.spec).empty()) return false;
  bool others_up = true;
  board_->in_order.for_each([&](const ViewPtr& other) {
    if (other->spec->group() == view.spec->group() && other->spec->action->acts) {
      others_up = others_up && other->lifecycle == Lifecycle::ready;
    }
  });
  return others_up;
}

void Watcher::stalled() {
  whose_.stalled();
  clock_set_ = true;
  for (auto& one : known_) one.second.failures = 0;
}

}  // namespace azora::orchestrator
