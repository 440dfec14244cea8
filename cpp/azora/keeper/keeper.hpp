#pragma once
// What the orchestrator asks of the world of processes, and what comes back. Implemented by
// KeeperClient (real keeper and shims, keeper_client.hpp) and by FakeKeeper (tests, simulation).
//
// Identity: a service is named by its serial (never reused in an orchestrator's life), one run of it by
// (serial, incarnation). Every answer carries both, so the reader can drop what is stale.
// Guarantees towards the listener, per service, whatever the order of commands:
//   started or start_failed exactly once per launch(); after started: exited exactly once, then swept
//   exactly once, when no descendant of that incarnation is left; after start_failed: swept once.
// Threads: all calls and all callbacks on the control thread.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "azora/base/result.hpp"
#include "azora/base/time.hpp"
#include "azora/model/launch_spec.hpp"

namespace azora::keeper {

using Serial = std::uint64_t;

// Everything a shim needs to start one incarnation; user, PATH and environment already resolved.
struct Launch {
  Serial serial = 0;
  std::uint64_t incarnation = 0;
  std::string id;      // for logs, AZORA_ID and the log file's label; never becomes a path
  int port = 0;        // 0: none. Goes into PORT
  LaunchSpec spec;     // {port} and {index} already substituted
};

struct Exit {
  std::optional<int> code;      // exit status, when it exited
  std::optional<int> signal;    // signal number, when it was killed
  std::optional<bool> oom;      // nullopt: cannot be known (no memory cgroup of its own)
  WallTime at;
  friend bool operator==(const Exit&, const Exit&) = default;
};

// One reading of what a service's processes use. From the shim's pid and /proc.
struct Usage {
  double cpu_percent = 0;       // of one core, since the previous reading
  std::int64_t rss_bytes = 0;   // main process and descendants in its session
};

class KeeperListener {
 public:
  virtual ~KeeperListener() = default;
  virtual void on_started(Serial serial, std::uint64_t incarnation, int pid, Now at) = 0;
  virtual void on_start_failed(Serial serial, std::uint64_t incarnation, std::string reason) = 0;
  virtual void on_exited(Serial serial, std::uint64_t incarnation, const Exit& exit) = 0;
  virtual void on_swept(Serial serial, std::uint64_t incarnation) = 0;
  // The shim is gone without an exit record (killed): what became of the process is unknown, but no
  // descendant of it is left once this is called. `reason` is for people.
  virtual void on_lost(Serial serial, std::uint64_t incarnation, std::string reason) = 0;
  // So many lines of its output were dropped for a slow or full disk, since its shim began.
  virtual void on_log_dropped(Serial serial, std::uint64_t lines) = 0;
  // The link to the keeper went down or came back (a new keeper was started if needed).
  virtual void on_link(bool up, std::string reason) = 0;
};

class Keeper {
 public:
  virtual ~Keeper() = default;
  virtual void set_listener(KeeperListener* listener) = 0;   // once, before start()
  virtual void launch(Launch launch) = 0;
  // Sends the signal (and SIGCONT after it) to the main process of that incarnation.
  virtual void stop(Serial serial, std::uint64_t incarnation, int signal) = 0;
  // Kills the main process and all its descendants (cgroup.kill where writable).
  virtual void kill(Serial serial, std::uint64_t incarnation) = 0;
  // The service is unregistered and swept: its shim ends, its logs (ephemeral) are removed.
  virtual void forget(Serial serial) = 0;
};

}  // namespace azora::keeper
