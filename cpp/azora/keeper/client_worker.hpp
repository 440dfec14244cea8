#pragma once
// The body of the thread az-keeper: carries out commands in the order they came, keeps a keeper working as
// long as there are services, and hands over what it reports in batches.
// Threads: run() is the thread's body; prepare() before it; push(), end(), leave() and folder_of() any thread; all
// else az-keeper.
// Fails: prepare() with keeper_failed when the folder cannot be had; what goes wrong later is reported as
// start_failed, or link_down while services are up.
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "azora/base/fd.hpp"
#include "azora/base/mutex.hpp"
#include "azora/base/time.hpp"
#include "azora/keeper/client_folder.hpp"
#include "azora/keeper/client_heartbeat.hpp"
#include "azora/keeper/client_ledger.hpp"
#include "azora/keeper/client_link.hpp"
#include "azora/keeper/client_lookups.hpp"
#include "azora/keeper/client_options.hpp"
#include "azora/keeper/environment.hpp"

namespace azora::keeper {

struct AdoptCommand {
  Serial serial = 0;
  std::uint64_t incarnation = 0;
  std::string id;
};
struct AcknowledgeCommand {
  Serial serial = 0;
  std::uint64_t incarnation = 0;
};
struct StopCommand {
  Serial serial = 0;
  std::uint64_t incarnation = 0;
  StopOrder order;
};
struct KillCommand {
  Serial serial = 0;
  std::uint64_t incarnation = 0;
};
struct ForgetCommand {
  Serial serial = 0;
};
using Command = std::variant<Launch, LookedUp, AdoptCommand, AcknowledgeCommand, StopCommand, KillCommand, ForgetCommand>;

class ClientWorker : public std::enable_shared_from_this<ClientWorker> {
 public:
  using Deliver = std::function<void(std::vector<Report>)>;  // on az-keeper

  ClientWorker(ClientOptions options, OwnWorld world, Deliver deliver);
  ~ClientWorker() = default;
  ClientWorker(const ClientWorker&) = delete;
  ClientWorker& operator=(const ClientWorker&) = delete;

  // Takes the folder that was given, if one was.
  Result<void> prepare();
  void push(Command command);
  // Makes run() end everything: services get their stop signal now, SIGKILL at `deadline`, and whatever
  // happens run() returns kPatience after that. Later commands are refused.
  void end(SteadyTime deadline);
  // Makes run() end with everything left as it is.
  void leave();
  void run();
  // False: something may be left running. After run().
  bool ended_clean() const { return ended_clean_; }
  std::uint64_t epoch() const { return epoch_.load(std::memory_order_relaxed); }
  // Of a service; empty as long as no service was launched.
  std::string folder_of(Serial serial) const;

 private:
  enum class State : std::uint8_t { down, greeting, up, ended };
  enum class Ending : std::uint8_t { no, stop, leave };

  // client_worker.cpp: commands and the end
  void ask_end(Ending how, SteadyTime deadline);
  void take_orders();
  void carry_out(Command command);
  void begin_launch(Launch launch);
  void launch(const Launch& launch, const std::optional<Account>& account);
  void end_lookup(Serial serial, std::uint64_t incarnation);
  void press_end();
  void let_go();
  void wait();
  SteadyTime wake_at() const;
  void hand_over(std::vector<Report> reports);
  void clean_up();

  // client_connection.cpp: the keeper and the folder
  bool wants_keeper() const;
  void bring_up();
  void bring_up_failed(const std::string& reason);
  void retry_later();
  Result<void> start_and_connect();
  Result<void> make_folder();
  void read_link();
  void on_frame(const KeeperLink::Frame& frame);
  void on_up();
  void on_hello_refused(const Refusal& refusal);
  void on_link_lost();
  void look_after_keeper();
  void replace_keeper(const std::string& state);
  void look_after_folder();
  void kill_keeper();
  void send_owed();
  void send_empty(FrameType type);
  void report_link_down(std::string reason);
  void report_link_up();

  const ClientOptions options_;
  const OwnWorld world_;
  const Deliver deliver_;
  const Fd wake_;

  mutable Mutex mutex_;
  std::vector<Command> commands_ AZORA_GUARDED_BY(mutex_);
  Ending ending_asked_ AZORA_GUARDED_BY(mutex_) = Ending::no;
  SteadyTime end_deadline_asked_ AZORA_GUARDED_BY(mutex_);
  std::string folder_path_ AZORA_GUARDED_BY(mutex_);

  Ledger ledger_;
  AccountLookups lookups_;
  RuntimeFolder folder_;
  std::string token_;
  KeeperLink link_;
  Heartbeat heartbeat_;
  State state_ = State::down;
  std::atomic<std::uint64_t> epoch_;  // written by az-keeper alone
  bool may_have_shims_ = false;  // only a keeper can end them
  bool ping_pending_ = false;    // to be sent
  bool move_pending_ = false;
  bool fenced_ = false;          // the last try was refused for its epoch
  bool reported_down_ = false;
  int failures_ = 0;             // in a row
  SteadyTime try_at_{};          // not to start a keeper before
  SteadyTime greeting_until_{};
  Ending ending_ = Ending::no;
  bool said_goodbye_ = false;
  bool killed_all_ = false;
  bool killed_keeper_ = false;
  SteadyTime end_deadline_{};
  bool ended_clean_ = true;
};

}  // namespace azora::keeper
