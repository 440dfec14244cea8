#pragma once
// What was asked of the keeper, what is still to be sent to it, and what the listener was told: commands and records
// go in, frames and reports (client_ledger_reports.hpp) come out. It gives "exactly once" over a link on which
// everything may be said twice or, when a keeper dies, be lost. Each service has its newest record and a note of what
// was reported of it (client_ledger_entry.hpp); what was asked stays due until a record proves it done.
// Threads: az-keeper. Ownership: values only. Fails: never; a launch that cannot be carried out becomes the reports
// start_failed and swept.
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "azora/keeper/client_ledger_entry.hpp"
#include "azora/keeper/client_ledger_reports.hpp"
#include "azora/keeper/launch_frame.hpp"
#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

class Ledger {
 public:
  // Commands. Those about another incarnation than the current one, or one that has ended, do nothing.
  void launch(LaunchRequest request);
  void refuse_launch(Serial serial, std::uint64_t incarnation, std::string reason);
  void adopt(Serial serial, std::uint64_t incarnation, std::string id);
  void acknowledge(Serial serial, std::uint64_t incarnation);
  void stop(Serial serial, std::uint64_t incarnation, const StopOrder& order);
  void kill(Serial serial, std::uint64_t incarnation);
  void forget(Serial serial);
  void kill_all();

  // What the keeper says.
  void on_record(const Record& record);
  void on_refused(const Refusal& refusal, std::uint64_t request);
  void on_list_end();
  void on_link_down();
  // The system does not take a frame of this size.
  void on_too_large(const std::vector<std::uint8_t>& frame);
  // No keeper can be had: launches that were never sent fail.
  void fail_unsent(const std::string& reason);

  bool has_unsent_launch() const { return unsent_launches_ > 0; }
  bool has_adoption() const { return adoptions_ > 0; }
  // The next frame for the keeper; empty: there is none. What is taken counts as sent.
  std::vector<std::uint8_t> next_frame(std::uint64_t epoch);
  std::vector<Report> take_reports() { return reports_.take(); }

 private:
  using Owed = LedgerEntry::Owed;
  using Reported = LedgerEntry::Reported;
  using Fact = LedgerEntry::Fact;
  using Service = LedgerEntry;

  Service* current(Serial serial, std::uint64_t incarnation);
  void queue(Service& service, Owed what);
  void queue(Service& service);
  void queue_launch(Service& service);
  void on_unknown(const Record& record);
  void on_record_of(Service& service, const Record& record);
  void on_other_incarnation(Service& service, const Record& record);
  std::vector<std::uint8_t> frame_of(Service& service, std::uint64_t epoch);
  std::vector<std::uint8_t> launch_frame_of(Service& service, std::uint64_t epoch);

  std::unordered_map<Serial, Service> services_;
  std::unordered_map<Serial, Record> unknown_;  // listed, and not in services_
  std::deque<Serial> queue_;      // of services with something owed
  std::deque<Serial> forgotten_;  // for which FORGET is to be sent
  bool listed_ = false;           // the keeper has said all it knows, since the link is up
  std::size_t unsent_launches_ = 0;
  std::size_t adoptions_ = 0;
  LedgerReports reports_;
};

}  // namespace azora::keeper
