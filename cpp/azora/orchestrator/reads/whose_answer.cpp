#include "azora/orchestrator/reads/whose_answer.hpp"

#include <optional>

namespace azora::orchestrator {
namespace {

using listeners::Answer;
using listeners::Question;

// nullopt: it has no local address that must belong to it now.
std::optional<Question> question_of(const ServiceView& view) {
  if (view.spec->action != &kProcessAction || !view.spec->endpoint || view.desired != Desired::up) return std::nullopt;
  std::optional<Question> question = listeners::question_about(view.spec->target.host, view.spec->target.port, 0);
  if (!question) return std::nullopt;
  switch (view.lifecycle) {
    case Lifecycle::starting:
    case Lifecycle::ready:
    case Lifecycle::adopt:
      if (view.process && view.process->pid) question->main = *view.process->pid;
      return question;
    case Lifecycle::blocked:
    case Lifecycle::backoff:
    case Lifecycle::failed:
      return question;
    default:  // it does not run any more, or its remains may still hold the address
      return std::nullopt;
  }
}

// A failed service that is never started again by itself has no use for a free port.
bool helps(const ServiceView& view) {
  const RestartPolicy& policy = view.spec->restart;
  return view.lifecycle != Lifecycle::failed || (policy.on != RestartOn::never && policy.max_restarts != 0);
}

}  // namespace

WhoseAnswer whose_answer(const ServiceView& view, const WhySources& sources) {
  const std::optional<Question> question = sources.listener ? question_of(view) : std::nullopt;
  if (!question) return {};
  const Answer answer = sources.listener(view, *question);
  const std::string port = "port " + std::to_string(question->port);
  switch (answer.kind) {
    case Answer::Kind::foreign:
      return {.remark = listeners::foreign_text(question->port, answer.holder),
              .held = true,
              .unblocked_by = helps(view) ? port + " given up by " + answer.holder : ""};
    case Answer::Kind::ours:
      if (answer.beside.empty()) return {};
      return {.remark = port + " is held by this service and also by " + answer.beside};
    case Answer::Kind::unverified:
      return {.remark = "it could not be verified whose listener answers at " + port + ": " + answer.reason};
    case Answer::Kind::no_listener: return {};
  }
  return {};
}

}  // namespace azora::orchestrator
