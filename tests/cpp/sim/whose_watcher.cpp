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
    if (is_asked_about(view) && view->spec->target.port == question.port) known_[view->spec->id].kernel = answer.kind;
  });
}

void WhoseWatcher::told_well(const std::string& id, const ViewPtr& view) {
  const Known& known = known_[id];
  if (!view || !is_asked_about(view) || known.excused) return;
  if (!known.kernel) return findings_.found("whose answer", id, "told well before the kernel was asked");
  if (*known.kernel == listeners::Answer::Kind::foreign) {
    findings_.found("whose answer", id, "told well while another program holds its address");
  }
}

void WhoseWatcher::stalled() {
  for (auto& one : known_) one.second.excused = true;
}

}  // namespace azora::orchestrator
