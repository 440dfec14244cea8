#pragma once
// The keeper that works for this client: started, greeted, heard, asked whether it still works, replaced. It works in
// the client's place; when that was removed, it is told where to go on.
// Threads: az-keeper; epoch() any. Ownership: the link; the place, the ledger and the reports are the client's.
// Fails: never; a keeper that cannot be had is reported, and tried again at growing distances.
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

  // What the keeper sent, and that it did not greet or has gone.
  void read();
  // A keeper is started when one is wanted, asked whether it works, and sent what it is owed.
  void go_on();
  // When the folder was removed, another is made.
  void look_after_place();

  // Shims may be there, which only a keeper can end.
  void expect_shims() { may_have_shims_ = true; }
  bool may_have_shims() const { return may_have_shims_; }
  bool is_down() const { return state_ == State::down; }
  // No keeper could be had since the last that worked.
  bool has_failed() const { return attempts_.has_failed(); }
  std::uint64_t epoch() const { return epoch_.load(std::memory_order_relaxed); }

  // The end. Asks at once whether the keeper still works, and waits no longer than that for the answer.
  void hurry(Millis patience);
  // This keeper, and each after it, is told to end the fleet; ended(): one of them has said that it is done.
  void end_fleet() { ends_fleet_ = true; }
  bool ended() const { return state_ == State::ended; }
  void kill_keeper();
  // A keeper leaves its shims alone when it is asked to end; the next orchestrator starts its own.
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
