#pragma once
// A shim: parent and subreaper of one service, for all its incarnations. Holds the service's output, its
// exit record and the proof that nothing of it is left; outlives keeper and orchestrator.
// One poll loop; no call in it waits, except for the disk that its log files are on.
// Rules: a launch while something of the former incarnation lives is refused; a record stays until it is
// acknowledged or a later incarnation is launched; everything said is the whole record, so a peer that
// was away only asks again.
#include <cstdint>

#include "azora/keeper/program/cgroup.hpp"
#include "azora/keeper/program/log_writer.hpp"
#include "azora/keeper/program/main.hpp"
#include "azora/keeper/program/service_stop.hpp"
#include "azora/keeper/program/spawn.hpp"
#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

class Shim {
 public:
  explicit Shim(const ShimArguments& arguments);
  // Returns when its work has ended for good.
  int run();

 private:
  // shim_link.cpp: what the keeper sends and is sent
  void accept_candidate();
  void read_candidate();
  void read_link();
  void on_frame(const Header& header, long size);
  void on_launch(const Header& header, long size);
  void on_move(const Text& folder);
  bool is_fenced(int fd, const Header& header);
  void refuse(int fd, const Header& header, RefusalCode code, std::uint64_t incarnation = 0);
  void send_record();
  void close_link();

  // shim_service.cpp: the life of one incarnation
  void launch(LaunchFrame& launch);
  void bound_memory(LaunchFrame& launch);
  void read_error_pipe();
  void on_started();
  void reap();
  void on_main_ended(int status);
  bool may_daemonize() const;
  void look_at_left();
  void continue_sweep(bool none_left);
  void read_output();
  void report_dropped();
  void end_output();
  void kill_all();
  int living_main() const { return main_alive_ ? record_.pid : 0; }
  void stop_asked();            // the service is meant to end: its record says so
  void end();                   // stop what runs, then leave
  void leave();                 // removes what is ours; run() ends

  void changed() { unsent_ = true; }
  std::int64_t wait_ms() const;

  ShimArguments arguments_;
  int signals_ = -1;
  int orchestrator_ = kOrchestratorFd;  // -1: it has ended
  bool orchestrator_ended_ = false;
  int link_ = -1;
  int candidate_ = -1;  // connected, has not said who it is
  std::uint64_t epoch_ = 0;
  bool hello_pending_ = false;
  bool list_pending_ = false;
  bool unsent_ = false;

  Record record_;
  bool main_alive_ = false;
  SpawnFailure failure_;
  int output_ = -1;
  int error_pipe_ = -1;
  ServiceStop stop_;
  std::int64_t oom_before_ = -1;
  bool ending_ = false;
  bool forgotten_ = false;
  bool left_ = false;
  LogLoss reported_loss_;  // and when: at most once a second
  std::int64_t report_dropped_at_ns_ = 0;

  Cgroup cgroup_;
  LogWriter log_;
};

}  // namespace azora::keeper
