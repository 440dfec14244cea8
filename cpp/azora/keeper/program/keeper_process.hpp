#pragma once
// The keeper as a process: starts the shims and carries frames between them and the orchestrator. It keeps
// the newest record of every service and nothing that a shim could not say again, so its death loses nothing.
// One epoll loop; no call in it waits. Towards the orchestrator nothing queues up: services whose record is
// unsent are marked, and it is sent when there is room; towards a shim likewise.
// It is the subreaper above its shims: whatever a killed shim leaves comes to it and is killed.
// SIGTERM ends it as SIGKILL would: shims and services go on.
#include <cstdint>

#include "azora/keeper/program/cgroup.hpp"
#include "azora/keeper/program/main.hpp"
#include "azora/keeper/program/search.hpp"
#include "azora/keeper/program/shim_table.hpp"
#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

class KeeperProcess {
 public:
  explicit KeeperProcess(const KeeperArguments& arguments);
  // Returns when the fleet has ended, a successor has taken over, or a durable fleet has lost its orchestrator.
  int run();

 private:
  // keeper_main.cpp: the loop and the end
  void watch(int fd, std::uint64_t tag, bool for_room = false);
  void turn();
  void end_if_done();
  void remove_fleet_files();
  int wait_ms() const;

  // keeper_link.cpp: what the orchestrator sends and is sent
  void accept_candidate();
  void read_candidate();
  void read_link();
  void on_frame(const Header& header, long size);
  void on_launch(const Header& header, long size);
  void on_ref(const Header& header, const ServiceRef& ref);
  void on_stop(const ServiceRef& ref, const StopOrder& order);
  void on_reclaim(const Record& record);
  void refuse(int fd, const Header& header, RefusalCode code, const ServiceRef& about = {});
  bool is_fenced(int fd, const Header& header);
  void on_move(const Text& folder);
  void send_to_orchestrator();
  void close_link();

  // keeper_shims.cpp: what the shims send and are sent
  void attach_existing();
  bool attach(ShimEntry& entry);
  void launch(ShimEntry& entry, const Header& header, const LaunchFrame& frame, long size);
  long start_shim(ShimEntry& entry, const char* id);
  enum class Heard { some, all, ended };
  Heard hear(ShimEntry& entry);
  void read_shim(ShimEntry& entry);
  void on_shim_frame(ShimEntry& entry, const Header& header, long size);
  void on_refused(ShimEntry& entry, const Refusal& refusal, std::size_t size);
  void send_to_shim(ShimEntry& entry);
  void drop_shim_link(ShimEntry& entry);
  void release(ShimEntry& entry);
  void changed(ShimEntry& entry);

  // keeper_sweep.cpp: shims that died
  void reap();
  void on_shim_ended(ShimEntry& entry);
  void try_again_soon();
  void retry();
  void sweep_lost();
  int kill_left_over();
  int kill_orphans_below();
  void kill_orphans_elsewhere();
  ShimEntry* lost_service_of(const Traces& traces, bool elsewhere);
  bool is_swept(const ShimEntry& entry, int unattributed);

  KeeperArguments arguments_;
  Path cgroup_;  // where cgroups of services are made; empty: nowhere
  ShimTable shims_;
  int epoll_ = -1;
  int signals_ = -1;
  int link_ = -1;
  int candidate_ = -1;     // connected, has not said who it is
  bool link_waits_ = false;  // for room to write
  std::uint64_t epoch_ = 0;
  bool attached_ = false;
  bool hello_pending_ = false;
  bool list_pending_ = false;
  bool pong_pending_ = false;
  bool ended_pending_ = false;
  bool cleaned_ = false;
  bool ending_ = false;
  bool orchestrator_ended_ = false;
  bool left_ = false;
  int unsent_ = 0;           // how many services are marked
  int retry_ms_ = 0;         // 0: nothing to try again
  std::int64_t retry_at_ns_ = 0;
};

}  // namespace azora::keeper
