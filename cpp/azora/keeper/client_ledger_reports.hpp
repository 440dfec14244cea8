#pragma once
// What is reported to the listener. Records of a service are repeated again and again; each fact in them is reported
// once, in an order that makes sense. What was reported of an incarnation is noted in its entry.
// Threads: az-keeper. Ownership: the reports until they are taken. Fails: never.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "azora/keeper/client_ledger_entry.hpp"
#include "azora/keeper/client_report.hpp"

namespace azora::keeper {

class LedgerReports {
 public:
  // Reports the refusal of a launch that was never noted.
  void refused(Serial serial, std::uint64_t incarnation, std::string reason);
  // Reports what a shim runs: a service that is not ours, or one that we have taken over.
  void of_record(Report::Kind kind, const Record& record);
  // Reports what the newest record says and was not reported yet.
  void on_phase(LedgerEntry& service);
  // Reports how many lines were dropped from its log in all, when that is more than was reported.
  void log_dropped(LedgerEntry& service, const Record& record);
  // Reports the end; nothing more follows.
  void failed(LedgerEntry& service, std::string reason);
  void lost(LedgerEntry& service, std::string reason);

  std::vector<Report> take() { return std::exchange(reports_, {}); }

 private:
  using Reported = LedgerEntry::Reported;

  void started(LedgerEntry& service);
  void exited(LedgerEntry& service);
  void on_shim_lost(LedgerEntry& service);
  void report(Report::Kind kind, const LedgerEntry& service, std::string reason = {});

  std::vector<Report> reports_;
};

}  // namespace azora::keeper
