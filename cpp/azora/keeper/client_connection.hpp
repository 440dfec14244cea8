#pragma once
// Runs the keeper of this client: starts it, exchanges greetings, reads what it sends, asks whether it still works, and
// replaces it. The keeper works in the client's folder; when that was removed, the keeper is sent the new one.
// Threads: az-keeper; epoch() any. Ownership: the link; the place, the ledger and the reports are the client's.
// Fails: never; when no keeper can be had, that is reported, and tried again after delays that grow.
#include <atomic>
#include <cstdint>
#include <string>

#include "azora/keeper/client_attempts.hpp"
#include "azora/keeper/client_heartbeat.hpp"
#include "azora/keeper/client_ledger.hpp"
#include "azora/keeper/client_link.hpp"
#include "azora/keeper/client_options.hpp"
#include "azora/keeper/client_place.hpp"
#include "azora/keeper/client_reports.hpp"
#include "azora/keeper/environment.hpp"
#include "azora/keeper/flag_set.hpp"

namespace azora::keeper {

class ClientConnection {
 public:
  // `options` with the token of the fleet.
  ClientConnection(const ClientOptions& options, const OwnWorld& world, ClientPlace& place, Ledger& ledger,
                   ClientReports& reports);

  // What to poll for, and when to go on at the latest.
  int fd() const { return link_.fd(); }
  bool wants_room() const { return link_.wants_room(); }
  SteadyTime next() const;

  // Reads what the keeper sent, and notices when it did not greet or has gone.
  void read();
  // Starts a keeper when one is wanted, asks whether it works, and sends what is due to it.
  void go_on();
  // Makes another folder when the present one was removed.
  void look_after_place();

  // Shims may be running, and only a keeper can end them.
  void expect_shims() { may_have_shims_ = true; }
  bool may_have_shims() const { return may_have_shims_; }
  bool is_down() const { return state_ == State::down; }
  // No keeper could be started since the last one that worked.
  bool has_failed() const { return attempts_.has_failed(); }
  std::uint64_t epoch() const { return epoch_.load(std::memory_order_relaxed); }

  // For the end: asks at once whether the keeper still works, and waits at most `patience` for the answer.
  void hurry(Millis patience);
  // This keeper and each later one is ordered to end the fleet; ended(): one of them has reported that this is done.
  void end_fleet() { ends_fleet_ = true; }
  bool ended() const { return state_ == State::ended; }
  void kill_keeper();
  // Asks the keeper to end; it leaves its shims alone, and the next orchestrator starts a keeper of its own.
  void let_go();
  // Waits for the keeper's end, but not longer than `patience`.
  void close(Millis patience);

 private:
  enum class State : std::uint8_t { down, greeting, up, ended };
  enum class Owed : std::uint8_t { ping, move };  // to be sent to this keeper

  bool wants_keeper() const;
  void bring_up();
  void bring_up_failed(const std::string& reason);
  Result<void> start_and_connect();
  void on_frame(const KeeperLink::Frame& frame);
  void on_up();
  void on_hello_refused(const Refusal& refusal);
  void on_link_lost();
  void look_after_keeper();
  void replace_keeper(const std::string& state);
  void send_owed();
  void send_empty(FrameType type);
  void send_folder();

  const ClientOptions& options_;
  const OwnWorld& world_;
  ClientPlace& place_;
  Ledger& ledger_;
  ClientReports& reports_;
  KeeperLink link_;
  Heartbeat heartbeat_;
  Attempts attempts_;
  State state_ = State::down;
  std::atomic<std::uint64_t> epoch_;  // written by az-keeper alone
  FlagSet<Owed> owed_;
  bool may_have_shims_ = false;
  bool fenced_ = false;               // the last try was refused for its epoch
  bool ends_fleet_ = false;
  bool said_goodbye_ = false;         // to this keeper
};

}  // namespace azora::keeper
