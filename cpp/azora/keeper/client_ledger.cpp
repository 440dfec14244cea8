#include "azora/keeper/client_ledger.hpp"

#include "azora/base/check.hpp"
#include "azora/keeper/start_failure.hpp"

namespace azora::keeper {
namespace {

Exit exit_of(const Record& record) {
  Exit exit;
  if (record.exit_kind == ExitKind::code) exit.code = record.exit_value;
  if (record.exit_kind == ExitKind::signal) exit.signal = record.exit_value;
  if (record.oom != Oom::unknown) exit.oom = record.oom == Oom::yes;
  if (record.left_pid != 0) exit.left_pid = record.left_pid;
  exit.at = WallTime{record.exited_wall_ms};
  exit.asked = record.stop_asked;
  return exit;
}

bool is_known(const Record& record) { return record.phase != Phase::idle; }

bool has_started(Phase phase) { return phase == Phase::running || phase == Phase::exited || phase == Phase::swept; }

std::vector<std::uint8_t> ref_frame(FrameType type, const ServiceRef& ref, std::uint64_t epoch) {
  std::vector<std::uint8_t> frame(kMaxSmallFrame);
  frame.resize(write_ref(frame.data(), frame.size(), type, ref, 0, epoch));
  return frame;
}

std::vector<std::uint8_t> stop_frame(const ServiceRef& ref, const StopOrder& order, std::uint64_t epoch) {
  std::vector<std::uint8_t> frame(kMaxSmallFrame);
  frame.resize(write_stop(frame.data(), frame.size(), ref, order, 0, epoch));
  return frame;
}

}  // namespace

void Ledger::launch(LaunchRequest request) {
  const Serial serial = request.serial;
  Service& service = services_[serial];
  const bool unfinished = service.launch.incarnation != 0 && !service.has_ended();
  AZORA_ASSERT(!unfinished && service.launch.incarnation < request.incarnation);
  if (unfinished) return refuse_launch(serial, request.incarnation, "its former incarnation has not ended");
  // What is known of its shim, and its place in the queue, stay.
  Service next{.launch = std::move(request)};
  if (const auto found = unknown_.extract(serial)) {
    service.facts.add(Fact::listed);
    service.facts.set(Fact::shim_silent, found.mapped().phase == Phase::unknown);
  }
  for (const Fact fact : {Fact::listed, Fact::shim_silent, Fact::queued}) next.facts.set(fact, service.facts.has(fact));
  service = std::move(next);
  queue_launch(service);
}

void Ledger::refuse_launch(Serial serial, std::uint64_t incarnation, std::string reason) {
  reports_.push_back({.kind = Report::Kind::start_failed, .serial = serial, .incarnation = incarnation, .reason = std::move(reason)});
  reports_.push_back({.kind = Report::Kind::swept, .serial = serial, .incarnation = incarnation});
}

void Ledger::adopt(Serial serial, std::uint64_t incarnation, std::string id) {
  Service& service = services_[serial];
  const bool unfinished = service.launch.incarnation != 0 && !service.has_ended();
  AZORA_ASSERT(!unfinished);
  if (unfinished) return;
  service = Service{.launch = {.serial = serial, .incarnation = incarnation, .id = std::move(id)}};
  service.facts.add(Fact::launch_sent);
  service.facts.add(Fact::adopting);
  ++adoptions_;
  if (const auto found = unknown_.extract(serial)) return on_record_of(service, found.mapped());
  if (listed_) queue(service, Owed::reclaim);
}

void Ledger::acknowledge(Serial serial, std::uint64_t incarnation) {
  const auto found = services_.find(serial);
  if (found == services_.end()) return;
  Service& service = found->second;
  if (service.launch.incarnation != incarnation || !service.has_ended()) return;
  service.facts.add(Fact::acknowledged);
  if (is_over(service.record.phase)) queue(service, Owed::ack);
}

void Ledger::stop(Serial serial, std::uint64_t incarnation, const StopOrder& order) {
  Service* service = current(serial, incarnation);
  if (service == nullptr || service->reported.has(Reported::exited)) return;
  service->stop_wanted = order;
  queue(*service, Owed::stop);
}

void Ledger::kill(Serial serial, std::uint64_t incarnation) {
  Service* service = current(serial, incarnation);
  if (service == nullptr) return;
  service->facts.add(Fact::kill_wanted);
  queue(*service, Owed::kill);
}

void Ledger::kill_all() {
  for (const auto& [serial, service] : services_) kill(serial, service.launch.incarnation);
}

void Ledger::forget(Serial serial) {
  const auto found = services_.find(serial);
  if (found != services_.end()) {
    const Service& service = found->second;
    if (service.owed.has(Owed::launch) && !service.facts.has(Fact::launch_sent)) --unsent_launches_;
    if (service.facts.has(Fact::adopting)) --adoptions_;
    services_.erase(found);
  } else if (unknown_.erase(serial) == 0) {
    return;
  }
  // Should the link fail before it is sent, its record is listed again, as an unknown one.
  forgotten_.push_back(serial);
}

void Ledger::on_record(const Record& record) {
  const auto found = services_.find(record.serial);
  if (found == services_.end()) return on_unknown(record);
  on_record_of(found->second, record);
}

void Ledger::on_unknown(const Record& record) {
  unknown_[record.serial] = record;
  if (record.phase != Phase::unknown) report_record(Report::Kind::unknown, record);
}

void Ledger::on_record_of(Service& service, const Record& record) {
  service.facts.add(Fact::listed);
  service.facts.set(Fact::shim_silent, record.phase == Phase::unknown);
  if (service.facts.has(Fact::shim_silent)) return;
  queue(service);  // something may have waited for the shim to speak
  if (record.phase == Phase::lost && record.incarnation == 0) {
    // Its shim died before it could say what it ran; we may know.
    service.owed.set(Owed::reclaim, !service.has_ended() && service.facts.has(Fact::launch_sent));
    return;
  }
  if (record.phase == Phase::idle || record.incarnation != service.launch.incarnation) {
    return on_other_incarnation(service, record);
  }
  service.facts.remove(Fact::launch_unsure);
  if (service.facts.take(Fact::adopting)) {
    --adoptions_;
    if (record.phase != Phase::lost) report_record(Report::Kind::adopted, record);
    service.reported.set(Reported::started, has_started(record.phase) || record.phase == Phase::lost);
  }
  if (std::exchange(service.reported_dropped, record.log_dropped) != record.log_dropped) {
    report(Report::Kind::log_dropped, service);
    reports_.back().lines = record.log_dropped;
  }
  if (service.has_ended()) {
    service.owed.set(Owed::ack, service.facts.has(Fact::acknowledged) && is_over(record.phase));
    return;
  }
  service.record = record;
  on_phase(service);
}

void Ledger::on_other_incarnation(Service& service, const Record& record) {
  if (service.facts.has(Fact::launch_unsure) && record.incarnation < service.launch.incarnation) queue_launch(service);
  if (!service.facts.has(Fact::adopting)) return;
  --adoptions_;
  if (has_process(record.phase)) {  // not the one that was meant: it is not ours to take over
    const Record other = record;
    services_.erase(record.serial);
    return on_unknown(other);
  }
  service.facts.remove(Fact::adopting);
  service.reported.add(Reported::end);
  report(Report::Kind::lost, service,
         record.incarnation < service.launch.incarnation ? "it was never started" : "it has ended, and that was acknowledged before");
}

void Ledger::on_phase(Service& service) {
  switch (service.record.phase) {
    case Phase::idle:
    case Phase::unknown:
    case Phase::launching: return;
    case Phase::running: return report_started(service);
    case Phase::exited: return report_exited(service);
    case Phase::swept:
      report_exited(service);
      report(Report::Kind::swept, service);
      break;
    case Phase::start_failed: report_failed(service, describe_start_failure(service.record, service.launch)); break;
    case Phase::lost: on_lost(service); break;
  }
  service.reported.add(Reported::end);
}

void Ledger::on_lost(Service& service) {
  constexpr const char* kReason = "its shim was killed, and its processes with it; how the main process ended is not known";
  if (service.record.started_wall_ms != 0) report_started(service);
  if (service.reported.has(Reported::exited)) {
    report(Report::Kind::swept, service);
  } else if (service.reported.has(Reported::started)) {
    report(Report::Kind::lost, service, kReason);
  } else {
    report_failed(service, "its shim was killed before it had started");
  }
}

void Ledger::on_refused(const Refusal& refusal, std::uint64_t request) {
  if (refusal.type != FrameType::launch) return;  // what became of a stop or kill, records will say
  // We number launches by their incarnation, so a refusal is of exactly one of them.
  Service* service = current(refusal.serial, request);
  if (service == nullptr || is_known(service->record)) return;
  report_failed(*service, describe_refusal(refusal));
}

void Ledger::on_too_large(const std::vector<std::uint8_t>& frame) {
  Header header;
  if (!read_header(frame.data(), frame.size(), &header) || header.type != FrameType::launch) return;
  Reader fields(frame.data() + kHeaderSize, frame.size() - kHeaderSize);
  Service* service = current(fields.u64(), header.request);
  if (service == nullptr) return;
  report_failed(*service, describe_refusal({.code = RefusalCode::too_large, .type = FrameType::launch}));
}

void Ledger::on_list_end() {
  listed_ = true;
  for (auto& [serial, service] : services_) {
    if (service.has_ended()) continue;
    const bool listed = service.facts.has(Fact::listed);
    if (is_known(service.record) || service.facts.has(Fact::adopting)) {
      service.owed.set(Owed::reclaim, service.owed.has(Owed::reclaim) || !listed);
    } else if (service.facts.has(Fact::launch_unsure) && !listed) {
      queue_launch(service);  // no answer to it came, and there is no shim that could have answered
    }
    service.owed.set(Owed::stop, service.stop_wanted && !service.reported.has(Reported::exited));
    service.owed.set(Owed::kill, service.facts.has(Fact::kill_wanted));
    queue(service);
  }
}

void Ledger::on_link_down() {
  listed_ = false;
  forgotten_.clear();
  unknown_.clear();
  for (auto& [serial, service] : services_) {
    const bool sent = service.facts.has(Fact::launch_sent);
    const bool launch_owed = service.owed.has(Owed::launch) && !sent;
    service.owed.clear();
    service.owed.set(Owed::launch, launch_owed);
    service.facts.remove(Fact::listed);
    service.facts.remove(Fact::shim_silent);
    service.facts.set(Fact::launch_unsure, sent && !service.has_ended() && !is_known(service.record) &&
                                               !service.facts.has(Fact::adopting));
  }
}

void Ledger::fail_unsent(const std::string& reason) {
  if (unsent_launches_ == 0) return;
  for (auto& [serial, service] : services_) {
    if (service.facts.has(Fact::launch_sent) || !service.owed.take(Owed::launch)) continue;
    report_failed(service, reason);
  }
  unsent_launches_ = 0;
}

std::vector<std::uint8_t> Ledger::next_frame(std::uint64_t epoch) {
  if (!forgotten_.empty()) {
    std::vector<std::uint8_t> frame = ref_frame(FrameType::forget, {.serial = forgotten_.front()}, epoch);
    forgotten_.pop_front();
    return frame;
  }
  while (!queue_.empty()) {
    const auto found = services_.find(queue_.front());
    if (found != services_.end()) {
      std::vector<std::uint8_t> frame = frame_of(found->second, epoch);
      if (!frame.empty()) return frame;
      found->second.facts.remove(Fact::queued);
    }
    queue_.pop_front();
  }
  return {};
}

// One thing owed to the keeper about this service.
std::vector<std::uint8_t> Ledger::frame_of(Service& service, std::uint64_t epoch) {
  if (service.facts.has(Fact::shim_silent)) return {};  // the keeper would not know what it is about; its record will bring us back
  const ServiceRef ref{.serial = service.launch.serial, .incarnation = service.launch.incarnation};
  if (service.owed.take(Owed::ack)) return ref_frame(FrameType::ack, ref, epoch);
  if (service.owed.take(Owed::launch)) {
    std::vector<std::uint8_t> frame = launch_frame_of(service, epoch);
    if (!frame.empty()) return frame;
  }
  if (service.has_ended()) return {};
  if (service.owed.take(Owed::reclaim)) return reclaim_frame_of(service, epoch);
  if (service.owed.take(Owed::stop) && service.stop_wanted) return stop_frame(ref, *service.stop_wanted, epoch);
  if (service.owed.take(Owed::kill)) return ref_frame(FrameType::kill, ref, epoch);
  return {};
}

std::vector<std::uint8_t> Ledger::launch_frame_of(Service& service, std::uint64_t epoch) {
  if (!service.facts.has(Fact::launch_sent)) --unsent_launches_;
  std::vector<std::uint8_t> frame = launch_frame(service.launch, service.launch.incarnation, epoch);
  if (frame.empty()) {
    report_failed(service, "process.argv and its environment together are larger than " + std::to_string(kMaxFrame) +
                               " bytes; pass what is large in a file");
    return frame;
  }
  service.facts.add(Fact::launch_sent);
  service.facts.remove(Fact::launch_unsure);
  return frame;
}

std::vector<std::uint8_t> Ledger::reclaim_frame_of(const Service& service, std::uint64_t epoch) {
  std::vector<std::uint8_t> frame(kMaxSmallFrame);
  Record record = service.record;
  record.serial = service.launch.serial;
  record.incarnation = service.launch.incarnation;
  const std::string& id = service.launch.id;
  set_id(&record, {id.data(), static_cast<std::uint32_t>(id.size())});
  if (!is_known(record)) record.phase = Phase::launching;
  frame.resize(write_record(frame.data(), frame.size(), FrameType::reclaim, record, 0, epoch));
  return frame;
}

Ledger::Service* Ledger::current(Serial serial, std::uint64_t incarnation) {
  const auto found = services_.find(serial);
  if (found == services_.end()) return nullptr;
  Service& service = found->second;
  return service.launch.incarnation == incarnation && !service.has_ended() ? &service : nullptr;
}

void Ledger::queue(Service& service, Owed what) {
  service.owed.add(what);
  queue(service);
}

void Ledger::queue(Service& service) {
  if (service.facts.has(Fact::queued)) return;
  service.facts.add(Fact::queued);
  queue_.push_back(service.launch.serial);
}

void Ledger::queue_launch(Service& service) {
  if (!service.owed.has(Owed::launch) && !service.facts.has(Fact::launch_sent)) ++unsent_launches_;
  queue(service, Owed::launch);
}

void Ledger::report(Report::Kind kind, const Service& service, std::string reason) {
  reports_.push_back({.kind = kind,
                      .serial = service.launch.serial,
                      .incarnation = service.launch.incarnation,
                      .reason = std::move(reason)});
}

void Ledger::report_record(Report::Kind kind, const Record& record) {
  reports_.push_back({.kind = kind,
                      .serial = record.serial,
                      .incarnation = record.incarnation,
                      .record = std::make_unique<const Record>(record)});
}

void Ledger::report_started(Service& service) {
  if (service.reported.has(Reported::started)) return;
  service.reported.add(Reported::started);
  if (service.record.memory_bound == MemoryBound::address_space) report(Report::Kind::warning, service, describe_memory_bound());
  report(Report::Kind::started, service);
  reports_.back().pid = service.record.pid;
  reports_.back().at = Now{SteadyTime(Nanos(service.record.started_steady_ns)), WallTime{service.record.started_wall_ms}};
}

void Ledger::report_exited(Service& service) {
  report_started(service);
  if (service.reported.has(Reported::exited)) return;
  service.reported.add(Reported::exited);
  report(Report::Kind::exited, service);
  reports_.back().exit = exit_of(service.record);
}

void Ledger::report_failed(Service& service, std::string reason) {
  report(Report::Kind::start_failed, service, std::move(reason));
  report(Report::Kind::swept, service);
  service.reported.add(Reported::end);
}

}  // namespace azora::keeper
