#include "sim/whose_watcher.hpp"

namespace azora::orchestrator {
namespace {

// Something of ours answers there, and it is known what of all that runs is its own.
bool is_asked_about(const ViewPtr& view) {
  const ServiceSpec& spec = *view->spec;
  return spec.action == &kProcessAction && spec.endpoint && spec.target.kind != ProbeKind::process;
}

}  // namespace

WhoseWatcher::WhoseWatcher(World& world, Findings& findings) : world_(world), findings_(findings) {
  world_.listeners.on_answer = [this](const listeners::Question& question, const listeners::Answer& answer) {
    on_kernel(question, answer);
  };
}

void WhoseWatcher::on_kernel(const listeners::Question& question, const listeners::Answer& answer) {
  world_.recorder.board->in_order.for_each([&](const ViewPtr& view) {
    if (!is_asked_about(view) || view->spec->target.port != question.port) return;
    Known& known = known_[view->spec->id];
    known.kernel = answer.kind;
    known.doubted = known.doubted || answer.kind == listeners::Answer::Kind::foreign;
  });
}

void WhoseWatcher::told_well(const std::string& id, const ViewPtr& view) {
  const Known& known = known_[id];
  if (!view || !is_asked_about(view) || known.excused || restoring_) return;
  if (!known.kernel) return findings_.found("whose answer", id, "told well before the kernel was asked");
  if (*known.kernel == listeners::Answer::Kind::foreign) {
    findings_.found("whose answer", id, "told well while another program holds its address");
  }
}

void WhoseWatcher::check_turn() {
  if (!world_.recorder.board || !world_.core.running()) return;
  world_.recorder.board->in_order.for_each([&](const ViewPtr& view) {
    const auto known = known_.find(view->spec->id);
    if (known == known_.end() || !is_asked_about(view)) return;
    const bool held = world_.listeners.now(view->spec->target.port).kind == listeners::Answer::Kind::foreign;
    check_masked(known->second, *view, held);
    check_freed(known->second, *view, held);
  });
}

// Looks are 5 s apart, and the checks that follow need their time. Hung ones delay each other.
void WhoseWatcher::check_masked(Known& known, const ServiceView& view, bool held) {
  constexpr Millis kLook{5'500};
  const bool masked = held && !known.excused && view.lifecycle == Lifecycle::ready && view.status == HealthStatus::healthy;
  const SteadyTime now = world_.loop.now().steady;
  if (!masked) return known.masked_since.reset();
  if (!known.masked_since) known.masked_since = now;
  const ProbeSpec& probe = view.spec->probe;
  const Nanos checks = (probe.unhealthy_threshold + 2) * (view.spec->target.timeout + Millis(1'000));
  if (now - *known.masked_since <= kLook + checks) return;
  findings_.found("whose answer", view.spec->id, "stays healthy while another program has its address");
}

// Tries on evidence are 30 s apart, looks 5 s: what is taken and given up between two of them is not seen.
void WhoseWatcher::check_freed(Known& known, const ServiceView& view, bool held) {
  constexpr Millis kLongest{45'000};
  constexpr Millis kSeen{6'000};
  const RestartPolicy& policy = view.spec->restart;
  const bool waits = view.lifecycle == Lifecycle::failed && view.desired == Desired::up &&
                     policy.on != RestartOn::never && policy.max_restarts != 0 &&
                     view.healing_or_default().blocked_by.empty();
  if (!waits) {
    known.held_since.reset();
    return known.freed_since.reset();
  }
  const SteadyTime now = world_.loop.now().steady;
  if (held) {
    if (!known.held_since) known.held_since = now;
    return known.freed_since.reset();
  }
  if (known.held_since && now - *known.held_since > kSeen) known.freed_since = now;
  known.held_since.reset();
  if (!known.freed_since || now - *known.freed_since <= kLongest) return;
  findings_.found("whose answer", view.spec->id, "is not tried again though its address was given up");
}

void WhoseWatcher::stalled() {
  for (auto& one : known_) one.second.excused = one.second.doubted = true;
}

void WhoseWatcher::life_ended() {
  restoring_ = true;
  for (auto& one : known_) one.second = {};
}

}  // namespace azora::orchestrator
