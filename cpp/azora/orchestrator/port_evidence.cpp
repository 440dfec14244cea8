#include "azora/orchestrator/port_evidence.hpp"

#include <utility>

#include "azora/orchestrator/listener_question.hpp"

namespace azora::orchestrator {
namespace {

// What is not started again by itself has no use for evidence.
bool may_retry(const RestartPolicy& policy) { return policy.on != RestartOn::never && policy.max_restarts != 0; }

}  // namespace

void PortEvidence::set_failed(std::uint64_t serial, bool failed) {
  const ServiceState* service = fleet_.by_serial(serial);
  if (!failed || desk_ == nullptr || service == nullptr || !may_retry(service->spec->restart) ||
      !listener_question(*service)) {
    failed_.erase(serial);
    return;
  }
  failed_.try_emplace(serial);
  listener_changed(serial);
}

void PortEvidence::listener_changed(std::uint64_t serial) {
  const ServiceState* service = fleet_.by_serial(serial);
  const auto found = failed_.find(serial);
  const auto question = service == nullptr ? std::nullopt : listener_question(*service);
  if (found == failed_.end() || !question) return;
  found->second.question = ++last_question_;
  desk_->ask(*question, [this, serial, number = last_question_](const listeners::Answer& answer) {
    control_thread.assert_held();
    on_answer(serial, number, answer);
  });
}

void PortEvidence::on_answer(std::uint64_t serial, std::uint64_t question, const listeners::Answer& answer) {
  ServiceState* service = fleet_.by_serial(serial);
  const auto found = failed_.find(serial);
  if (service == nullptr || found == failed_.end() || found->second.question != question) return;
  using Kind = listeners::Answer::Kind;
  const bool was_held = std::exchange(found->second.held, answer.kind == Kind::foreign);
  if (answer.sockets) {
    watch_.watch({.serial = serial, .port = service->spec->target.port, .sockets = *answer.sockets});
  }
  if (was_held && (answer.kind == Kind::no_listener || answer.kind == Kind::ours)) found_(*service);
}

}  // namespace azora::orchestrator
