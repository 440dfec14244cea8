#pragma once
// What the client reports: the ledger's reports in their order, and between them one report when there is no keeper
// any more and one when there is a keeper again.
// Threads: az-keeper. Fails: never.
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "azora/keeper/client_ledger.hpp"
#include "azora/keeper/client_report.hpp"

namespace azora::keeper {

class ClientReports {
 public:
  using Deliver = std::function<void(std::vector<Report>)>;  // on az-keeper

  ClientReports(Ledger& ledger, Deliver deliver) : ledger_(ledger), deliver_(std::move(deliver)) {}

  void hand_over() { deliver(ledger_.take_reports()); }
  void link_down(std::string reason) {
    if (!std::exchange(down_, true)) say({.kind = Report::Kind::link_down, .reason = std::move(reason)});
  }
  // Reports why the link stays down: the reason may differ from why it went down.
  void still_down(const std::string& reason) {
    if (down_) say({.kind = Report::Kind::link_down, .reason = reason});
  }
  void link_up() {
    if (std::exchange(down_, false)) say({.kind = Report::Kind::link_up});
  }

 private:
  void say(Report report) {
    std::vector<Report> reports = ledger_.take_reports();
    reports.push_back(std::move(report));
    deliver(std::move(reports));
  }
  void deliver(std::vector<Report> reports) {
    if (!reports.empty()) deliver_(std::move(reports));
  }

  Ledger& ledger_;
  const Deliver deliver_;
  bool down_ = false;  // was reported
};

}  // namespace azora::keeper
