#include "azora/orchestrator/ownership.hpp"

#include <algorithm>
#include <memory>
#include <optional>

#include "azora/orchestrator/listener_question.hpp"

namespace azora::orchestrator {
namespace {

using listeners::Answer;

constexpr Millis kPatience{5'000};

bool is_of_run(const ListenerProof& proof, const ServiceState& service) {
  return proof.incarnation == service.machine.incarnation && proof.generation == service.generation;
}

// What is known of the listener of its current run.
ListenerProof& proof_of(ServiceState& service) {
  ListenerProof& proof = service.own->proof;
  if (!is_of_run(proof, service)) {
    const bool listed = proof.unverified;
    proof = {.incarnation = service.machine.incarnation, .generation = service.generation, .unverified = listed};
  }
  return proof;
}

// True while a run of it is checked. Before and after that, an answer cannot come from it.
bool is_checked(const ServiceState& service) {
  const Lifecycle state = service.machine.lifecycle;
  return !service.leaving && (state == Lifecycle::starting || state == Lifecycle::ready || state == Lifecycle::adopt);
}

void begin_anew(ListenerProof& proof) {
  proof.proven = false;
  proof.changed = false;
  proof.question = 0;
  proof.held.reset();
}

health::ProbeResult foreign(const health::ProbeResult& answered, std::string error) {
  health::ProbeResult result = answered;
  result.outcome = health::Outcome::foreign;
  result.http_status = 0;
  result.error = std::move(error);
  result.cpu.reset();
  result.memory.reset();
  return result;
}

}  // namespace

bool Ownership::holds(ServiceState& service, const health::ProbeResult& result, health::Verdict verdict) {
  if (desk_ == nullptr || !service.process()) return false;
  ListenerProof& proof = proof_of(service);
  switch (verdict) {
    case health::Verdict::none: return false;
    case health::Verdict::fail: begin_anew(proof); return false;
    case health::Verdict::pass:
    case health::Verdict::warn: break;
  }
  if (proof.proven || !service.own->pid || !listener_question(service)) return false;
  // The answer may still come, and counts then. Until then the kernel's last word stands.
  if (proof.question != 0 && !proof.foreign && loop_.now().steady - proof.asked >= kPatience) {
    proof.held.reset();
    return false;
  }
  proof.held = std::make_shared<const health::ProbeResult>(result);
  if (proof.question == 0) ask(service);
  return true;
}

bool Ownership::doubt(ServiceState& service) {
  return service.process() && std::exchange(service.own->proof.proven, false);
}

bool Ownership::watches(const ServiceState& service) const {
  if (!service.process() || !is_checked(service)) return false;
  return service.own->proof.proven && is_of_run(service.own->proof, service);
}

void Ownership::listener_changed(ServiceState& service) {
  if (!watches(service) || !service.own->pid || !listener_question(service)) return;
  ListenerProof& proof = service.own->proof;
  begin_anew(proof);
  proof.changed = true;
  ask(service);
}

void Ownership::ask(ServiceState& service) {
  ListenerProof& proof = service.own->proof;
  proof.question = ++last_question_;
  proof.asked = loop_.now().steady;
  desk_->ask(*listener_question(service),
             [this, serial = service.serial, question = proof.question](const Answer& answer) {
               control_thread.assert_held();
               on_answer(serial, question, answer);
             });
}

// The question may be old: meanwhile the service may have ended or failed a check.
void Ownership::on_answer(std::uint64_t serial, std::uint64_t question, const Answer& answer) {
  ServiceState* service = fleet_.by_serial(serial);
  if (service == nullptr || !service->process()) return;
  if (proof_of(*service).question != question) return;
  settle(*service, answer);
}

void Ownership::settle(ServiceState& service, const Answer& answer) {
  ListenerProof& proof = service.own->proof;
  const std::shared_ptr<const health::ProbeResult> held = proof.held;
  const bool changed = proof.changed;
  begin_anew(proof);
  const bool no_listener = answer.kind == Answer::Kind::no_listener;
  const bool first_time = no_listener && !std::exchange(proof.no_listener, no_listener);
  const bool of_another = answer.kind == Answer::Kind::foreign;
  proof.foreign = of_another;
  const bool was_unverified = std::exchange(proof.unverified, answer.kind == Answer::Kind::unverified);
  if (was_unverified || proof.unverified) turn_.mark_dirty(service);  // the list of these shows it, or shows it no more
  proof.proven = !of_another && !first_time;
  if (proof.proven && answer.sockets) {
    watch_.watch({.serial = service.serial, .port = service.spec->target.port, .sockets = *answer.sockets});
  }
  if (held == nullptr && changed && of_another) unmasked_(service);
  if (held == nullptr || first_time || !fleet_.running() || !is_checked(service)) return;
  const auto check = std::find_if(service.checks.begin(), service.checks.end(),
                                  [&](const health::Check& one) { return one.key.serial == held->serial; });
  if (check == service.checks.end()) return;
  if (!of_another) return settled_(service, *check, *held);
  settled_(service, *check, foreign(*held, listeners::foreign_text(service.spec->target.port, answer.holder)));
}

}  // namespace azora::orchestrator
