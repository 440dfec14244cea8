#pragma once
// The world of the thread az-keeper: carries out commands in the order they came, keeps a keeper alive as
// long as there are services, and hands over what it reports in batches.
// Threads: run() is the thread's body; push(), end() and folder_of() any thread; all else az-keeper.
// Fails: never; what goes wrong is told as start_failed, or link_down while services are up.
#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "azora/base/fd.hpp"
#include "azora/base/mutex.hpp"
#include "azora/base/time.hpp"
#include "azora/keeper/client_folder.hpp"
#include "azora/keeper/client_ledger.hpp"
#include "azora/keeper/client_link.hpp"
#include "azora/keeper/environment.hpp"

namespace azora::keeper {

struct StopCommand {
  Serial serial = 0;
  std::uint64_t incarnation = 0;
  int signal = 0;
};
struct KillCommand {
  Serial serial = 0;
  std::uint64_t incarnation = 0;
};
struct ForgetCommand {
  Serial serial = 0;
};
using Command = std::variant<Launch, StopCommand, KillCommand, ForgetCommand>;

class ClientWorker {
 public:
  struct Options {
    std::string program;
    std::string runtime_dir;
    std::string build_id;
    OwnWorld world;
  };
  using Deliver = std::function<void(std::vector<Report>)>;  // on az-keeper

  ClientWorker(Options options, Deliver deliver);
  ~ClientWorker() = default;
  ClientWorker(const ClientWorker&) = delete;
  ClientWorker& operator=(const ClientWorker&) = delete;

  void push(Command command);
  // Makes run() end everything: services get their stop signal now, SIGKILL at `deadline`, and whatever
  // happens run() returns kPatience after that. Later commands are refused.
  void end(SteadyTime deadline);
  void run();
  // False: something may be left running. After run().
  bool ended_clean() const { return ended_clean_; }
  // Of a service; empty as long as no service was launched.
  std::string folder_of(Serial serial) const;

 private:
  enum class State : std::uint8_t { down, greeting, up, ended };

  void carry_out(Command command);
  void resolve_and_launch(const Launch& launch);
  bool wants_keeper() const;
  void bring_up();
  void bring_up_failed(const std::string& reason);
  Result<void> start_and_connect();
  void read_link();
  void on_frame(const KeeperLink::Frame& frame);
  void on_link_lost();
  void send_owed();
  void press_end();
  void wait();
  void hand_over(std::vector<Report> reports);
  void clean_up();

  const Options options_;
  const Deliver deliver_;
  const Fd wake_;

  mutable Mutex mutex_;
  std::vector<Command> commands_ AZORA_GUARDED_BY(mutex_);
  bool ending_asked_ AZORA_GUARDED_BY(mutex_) = false;
  SteadyTime end_deadline_asked_ AZORA_GUARDED_BY(mutex_);
  std::string folder_path_ AZORA_GUARDED_BY(mutex_);

  Ledger ledger_;
  RuntimeFolder folder_;
  std::string token_;
  KeeperLink link_;
  State state_ = State::down;
  std::uint64_t epoch_ = 0;
  bool was_up_ = false;         // a keeper may have shims
  bool told_down_ = false;
  int failures_ = 0;            // in a row
  SteadyTime try_at_{};         // not to start a keeper before
  SteadyTime greeting_until_{};
  bool ending_ = false;
  bool said_goodbye_ = false;
  bool killed_all_ = false;
  bool killed_keeper_ = false;
  SteadyTime end_deadline_{};
  bool ended_clean_ = true;
};

}  // namespace azora::keeper
