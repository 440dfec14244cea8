#include "azora/keeper/client_ledger_reports.hpp"

#include "azora/keeper/start_failure.hpp"

namespace azora::keeper {

void LedgerReports::refused(Serial serial, std::uint64_t incarnation, std::string reason) {
  reports_.push_back({.kind = Report::Kind::start_failed, .serial = serial, .incarnation = incarnation, .reason = std::move(reason)});
  reports_.push_back({.kind = Report::Kind::swept, .serial = serial, .incarnation = incarnation});
}

void LedgerReports::log_dropped(LedgerEntry& service, const Record& record) {
  if (service.reported_loss == record.log_loss) return;
  service.reported_loss = record.log_loss;
  report(Report::Kind::log_dropped, service);
  reports_.back().lines = record.log_dropped;
  reports_.back().loss = record.log_loss;
}

void LedgerReports::lost(LedgerEntry& service, std::string reason) {
  report(Report::Kind::lost, service, std::move(reason));
  service.reported.add(Reported::end);
}

void LedgerReports::on_phase(LedgerEntry& service) {
  switch (service.record.phase) {
    case Phase::idle:
    case Phase::unknown:
    case Phase::launching: return;
    case Phase::running: return started(service);
    case Phase::exited: return exited(service);
    case Phase::swept:
      exited(service);
      report(Report::Kind::swept, service);
      break;
    case Phase::start_failed: failed(service, describe_start_failure(service.record, service.launch)); break;
    case Phase::lost: on_shim_lost(service); break;
  }
  service.reported.add(Reported::end);
}

void LedgerReports::on_shim_lost(LedgerEntry& service) {
  constexpr const char* kReason =
      "its shim was killed, and its processes with it; it is not known how the main process ended";
  if (service.record.started_wall_ms != 0) started(service);
  if (service.reported.has(Reported::exited)) {
    report(Report::Kind::swept, service);
  } else if (service.reported.has(Reported::started)) {
    report(Report::Kind::lost, service, kReason);
  } else {
    failed(service, "its shim was killed before it had started");
  }
}

void LedgerReports::report(Report::Kind kind, const LedgerEntry& service, std::string reason) {
  reports_.push_back({.kind = kind,
                      .serial = service.launch.serial,
                      .incarnation = service.launch.incarnation,
                      .reason = std::move(reason)});
}

void LedgerReports::of_record(Report::Kind kind, const Record& record) {
  reports_.push_back({.kind = kind,
                      .serial = record.serial,
                      .incarnation = record.incarnation,
                      .record = std::make_unique<const Record>(record)});
}

void LedgerReports::started(LedgerEntry& service) {
  if (service.reported.has(Reported::started)) return;
  service.reported.add(Reported::started);
  if (service.record.memory_bound == MemoryBound::address_space) report(Report::Kind::warning, service, describe_memory_bound());
  report(Report::Kind::started, service);
  reports_.back().pid = service.record.pid;
  reports_.back().at = Now{SteadyTime(Nanos(service.record.started_steady_ns)), WallTime{service.record.started_wall_ms}};
}

void LedgerReports::exited(LedgerEntry& service) {
  started(service);
  if (service.reported.has(Reported::exited)) return;
  service.reported.add(Reported::exited);
  report(Report::Kind::exited, service);
  reports_.back().exit = service.exit();
}

void LedgerReports::failed(LedgerEntry& service, std::string reason) {
  report(Report::Kind::start_failed, service, std::move(reason));
  report(Report::Kind::swept, service);
  service.reported.add(Reported::end);
}

}  // namespace azora::keeper
