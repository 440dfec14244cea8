#pragma once
// What was asked of the keeper, what is still to be sent to it, and what the listener was told: commands and records
// go in, frames and reports come out. Makes "exactly once" of a link on which everything may be said twice
// or, when a keeper dies, be lost: each service has its newest record and a note of what was reported of it;
// what was wanted of it stays wanted until a record proves it done.
// Threads: az-keeper. Ownership: values only. Fails: never; a launch that cannot be carried out becomes
// the reports start_failed and swept.
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "azora/keeper/client_report.hpp"
#include "azora/keeper/flag_set.hpp"
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
  // There is no keeper to be had: launches that were never sent fail.
  void fail_unsent(const std::string& reason);

  bool has_unsent_launch() const { return unsent_launches_ > 0; }
  bool has_adoption() const { return adoptions_ > 0; }
  // The next frame for the keeper; empty: there is none. What is taken counts as sent.
  std::vector<std::uint8_t> next_frame(std::uint64_t epoch);
  std::vector<Report> take_reports() { return std::exchange(reports_, {}); }

 private:
  // What is to be sent to the keeper about a service, in the order in which it makes sense.
  enum class Owed : std::uint8_t { ack, launch, reclaim, stop, kill };
  // What was reported of its current incarnation. `end`: swept or lost, nothing more follows.
  enum class Reported : std::uint8_t { started, exited, end };
  enum class Fact : std::uint8_t {
    launch_sent,    // to any keeper
    launch_unsure,  // it may have died with the keeper it was sent to
    adopting,       // on_adopted is still to come
    listed,         // since the link is up
    shim_silent,    // it has a shim that has not said yet what it runs: everything else waits
    queued,         // in queue_
    kill_wanted,
    acknowledged,
  };
  struct Service {
    LaunchRequest launch;  // to say again; and for the words of a failure
    Record record;         // the newest of this incarnation; phase idle: none yet
    FlagSet<Owed> owed;
    FlagSet<Reported> reported;
    FlagSet<Fact> facts;
    std::optional<StopOrder> stop_wanted;
    std::uint64_t reported_dropped = 0;  // lines of its log
    bool has_ended() const { return reported.has(Reported::end); }
  };

  Service* current(Serial serial, std::uint64_t incarnation);
  void queue(Service& service, Owed what);
  void queue(Service& service);
  void queue_launch(Service& service);
  void on_unknown(const Record& record);
  void on_record_of(Service& service, const Record& record);
  void on_other_incarnation(Service& service, const Record& record);
  void on_phase(Service& service);
  void on_lost(Service& service);
  void report(Report::Kind kind, const Service& service, std::string reason = {});
  void report_record(Report::Kind kind, const Record& record);
  void report_started(Service& service);
  void report_exited(Service& service);
  void report_failed(Service& service, std::string reason);
  std::vector<std::uint8_t> frame_of(Service& service, std::uint64_t epoch);
  std::vector<std::uint8_t> launch_frame_of(Service& service, std::uint64_t epoch);
  std::vector<std::uint8_t> reclaim_frame_of(const Service& service, std::uint64_t epoch);

  std::unordered_map<Serial, Service> services_;
  std::unordered_map<Serial, Record> unknown_;  // listed, and not in services_
  std::deque<Serial> queue_;      // of services with something owed
  std::deque<Serial> forgotten_;  // for which FORGET is to be sent
  bool listed_ = false;           // the keeper has said all it knows, since the link is up
  std::size_t unsent_launches_ = 0;
  std::size_t adoptions_ = 0;
  std::vector<Report> reports_;
};

}  // namespace azora::keeper
