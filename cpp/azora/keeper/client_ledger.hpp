#pragma once
// What was asked of the keeper, what it is still owed, and what the listener was told: commands and records
// go in, frames and reports come out. Makes "exactly once" of a link on which everything may be said twice
// or, when a keeper dies, be lost: each service has its newest record and a note of what was told of it;
// what was wanted of it stays wanted until a record proves it done.
// Threads: az-keeper. Ownership: values only. Fails: never; a launch that cannot be carried out becomes
// the reports start_failed and swept.
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "azora/keeper/keeper.hpp"
#include "azora/keeper/launch_frame.hpp"
#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

// One callback of KeeperListener, on its way to the control thread.
struct Report {
  enum class Kind : std::uint8_t { started, start_failed, exited, swept, lost, log_dropped, link_down, link_up };
  Kind kind{};
  Serial serial = 0;
  std::uint64_t incarnation = 0;
  int pid = 0;         // started
  Now at;              // started
  Exit exit;           // exited
  std::uint64_t lines = 0;  // log_dropped
  std::string reason;  // start_failed, lost, link_down
};

class Ledger {
 public:
  // Commands. Those about another incarnation than the current one, or one that is over, do nothing.
  void launch(LaunchRequest request);
  void refuse_launch(Serial serial, std::uint64_t incarnation, std::string reason);
  void stop(Serial serial, std::uint64_t incarnation, int signal);
  void kill(Serial serial, std::uint64_t incarnation);
  void forget(Serial serial);
  void kill_all();

  // What the keeper says, between link_up() and link_down().
  void on_record(const Record& record);
  void on_refused(const Refusal& refusal, std::uint64_t request);
  void on_list_end();
  void on_link_down();
  // There is no keeper to be had: launches that none has heard of fail.
  void fail_unsent(const std::string& reason);

  bool has_unsent_launch() const { return unsent_launches_ > 0; }
  // The next frame for the keeper; empty: it is owed nothing. What is taken counts as sent.
  std::vector<std::uint8_t> next_frame(std::uint64_t epoch);
  std::vector<Report> take_reports() { return std::exchange(reports_, {}); }

 private:
  struct Service {
    LaunchRequest launch;         // to say again; and for the words of a failure
    Record record;                // the newest of this incarnation; phase idle: none yet
    bool launch_sent = false;     // to any keeper
    bool launch_unsure = false;   // it may have died with the keeper it was sent to
    bool told_started = false;
    bool told_exited = false;
    bool over = false;            // told swept, or lost
    std::uint64_t told_dropped = 0;  // lines of its log
    bool listed = false;          // since the link is up
    bool shim_silent = false;     // it has a shim that has not said yet what it runs: all else waits
    bool queued = false;          // in dirty_
    int stop_wanted = 0;          // signal
    bool kill_wanted = false;
    bool launch_owed = false;
    bool stop_owed = false;
    bool kill_owed = false;
    bool ack_owed = false;
    bool reclaim_owed = false;
  };

  Service* current(Serial serial, std::uint64_t incarnation);
  void owe(Serial serial, Service& service);
  void owe_launch(Serial serial, Service& service);
  void tell(Report::Kind kind, const Service& service, std::string reason = {});
  void tell_started(Service& service);
  void tell_exited(Service& service);
  void tell_failed(Service& service, std::string reason);
  void on_lost(Service& service);
  std::vector<std::uint8_t> frame_of(Service& service, std::uint64_t epoch);
  std::vector<std::uint8_t> ref_frame(FrameType type, const Service& service, int value, std::uint64_t epoch);

  std::unordered_map<Serial, Service> services_;
  std::deque<Serial> dirty_;      // owed something
  std::deque<Serial> forgotten_;  // owed a FORGET
  std::size_t unsent_launches_ = 0;
  std::vector<Report> reports_;
};

}  // namespace azora::keeper
