#pragma once
// The current incarnation of a shim's service, from launch to sweep, as its parent sees it: its record, which stays
// until it is acknowledged or a later incarnation is launched. It is over only when wait says that no descendant is
// left. Each change of the record is sent to the keeper.
// Threads: the program has one. Ownership: the main process and all below it, the error pipe, the cgroup. Fails: a
// start that fails is in the record.
#include <cstdint>

#include "azora/keeper/program/cgroup.hpp"
#include "azora/keeper/program/service_output.hpp"
#include "azora/keeper/program/service_stop.hpp"
#include "azora/keeper/program/shim_link.hpp"
#include "azora/keeper/program/spawn.hpp"
#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

class Incarnation {
 public:
  // `cgroup`: where its cgroup is made, nullptr for none; lives as long as the program.
  Incarnation(std::uint64_t serial, const char* cgroup, ServiceOutput& output, KeeperLink& keeper);

  const Record& record() const { return record_; }
  bool has_process() const { return keeper::has_process(record_.phase); }
  // Sends what is still to be sent to the keeper.
  void send_record();

  // Call it only when the former incarnation has no process any more.
  void launch(LaunchFrame& launch);
  // Closes at exec, or carries what went wrong before it. For poll; -1: there is none.
  int error_pipe() const { return error_pipe_; }
  void read_error_pipe();
  // A child of the shim may have ended.
  void reap();

  // The orchestrator knows the end in the record: the record may be dropped.
  void acknowledge();
  // Each does nothing when there is no process.
  void stop(const StopOrder& order);
  void kill();
  // A stop as its launch ordered it.
  void end();
  // When SIGKILL is due (steady); 0: at no time.
  std::int64_t kill_at_ns() const { return stop_.kill_at_ns(); }
  void kill_if_due();

  // There will be no other.
  void remove_cgroup();

 private:
  void bound_memory(LaunchFrame& launch);
  void on_started();
  void on_main_ended(int status);
  bool may_daemonize() const;
  void look_at_left();
  void continue_sweep(bool none_left);
  void kill_all();
  void mark_stop_asked();
  void close_error_pipe();
  int living_main() const { return main_alive_ ? record_.pid : 0; }
  void changed() { keeper_.owe(KeeperLink::Owed::record); }

  const char* const cgroup_path_;
  ServiceOutput& output_;
  KeeperLink& keeper_;
  Record record_;
  bool main_alive_ = false;
  SpawnFailure failure_;
  int error_pipe_ = -1;
  ServiceStop stop_;
  Cgroup cgroup_;
  std::int64_t oom_before_ = -1;  // kills in the cgroup at the launch; -1: not known
};

}  // namespace azora::keeper
