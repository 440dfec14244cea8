#pragma once
// What the orchestrator has done with processes, and the reports that come back. Implemented by
// KeeperClient (real keeper and shims, client.hpp) and by FakeKeeper (tests, simulation).
//
// Identity: a service is named by its serial (never reused, over all orchestrators of one runtime folder), one run
// of it by (serial, incarnation). Every report carries both, so the reader can drop what is stale.
// Guarantees towards the listener, per service, whatever the order of commands:
//   started or start_failed exactly once per launch(); after started: exited exactly once, then swept
//   exactly once, when no descendant of that incarnation is left; lost replaces those of the two that are missing;
//   after start_failed: swept once. adopted or lost exactly once per adopt(); after adopted as after started.
//   The end of an incarnation (swept, start_failed, lost) is reported once by this Keeper, and stays recorded with
//   its shim until acknowledge(), a later launch() or forget(): an orchestrator that is killed before it has made
//   the end durable leaves it to the next one.
// Threads: all calls and all callbacks on the control thread.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "azora/base/result.hpp"
#include "azora/base/time.hpp"
#include "azora/keeper/protocol.hpp"
#include "azora/model/launch_spec.hpp"

namespace azora::keeper {

using Serial = std::uint64_t;

// One incarnation to be started.
struct Launch {
  Serial serial = 0;
  std::uint64_t incarnation = 0;
  std::string id;      // for logs, AZORA_ID and the log file's label; never becomes a path
  int port = 0;        // 0: none. Goes into PORT
  LaunchSpec spec;     // {port} and {index} already substituted
};

// What the configuration of a service says about its stop.
StopOrder stop_order(const LaunchSpec& spec);

struct Exit {
  std::optional<int> code;      // exit status, when it exited
  std::optional<int> signal;    // signal number, when it was killed
  std::optional<bool> oom;      // nullopt: cannot be known (no memory cgroup of its own)
  std::optional<int> left_pid;  // of a process that it left when it ended with 0 right after its start (R61)
  WallTime at;
  bool asked = false;           // a stop or kill had reached its shim before
  friend bool operator==(const Exit&, const Exit&) = default;
};

class KeeperListener {
 public:
  virtual ~KeeperListener() = default;
  virtual void on_started(Serial serial, std::uint64_t incarnation, int pid, Now at) = 0;
  virtual void on_start_failed(Serial serial, std::uint64_t incarnation, std::string reason) = 0;
  virtual void on_exited(Serial serial, std::uint64_t incarnation, const Exit& exit) = 0;
  virtual void on_swept(Serial serial, std::uint64_t incarnation) = 0;
  // The shim ended without an exit record (killed): how the process ended is unknown, but no descendant of it is
  // left once this is called. `reason` is for people.
  virtual void on_lost(Serial serial, std::uint64_t incarnation, std::string reason) = 0;
  // The next three matter to a listener that adopts services or sets memory limits; others need not override them.
  // The service of adopt() was found: `record` says what it is doing. What the record says beyond "running" is
  // reported right after this.
  virtual void on_adopted(Serial /*serial*/, std::uint64_t /*incarnation*/, const Record& /*record*/) {}
  // A shim holds a service that was neither launched nor adopted here. It is left alone until it is adopted,
  // forgotten or launched again; reported when it is found and whenever its record changes.
  virtual void on_unknown(const Record& /*record*/) {}
  // It runs, but not quite as asked for. `reason` is for people. At most once per incarnation, right before on_started.
  virtual void on_warning(Serial /*serial*/, std::uint64_t /*incarnation*/, std::string /*reason*/) {}
  // `lines` of its output were dropped for a slow or full disk since its shim began; `loss` is the newest loss.
  virtual void on_log_dropped(Serial serial, std::uint64_t lines, const LogLoss& loss) = 0;
  // The link to the keeper went down (it ended, does not answer, or its folder was removed) or came back. Called
  // again with a newer reason when the next keeper cannot be started.
  virtual void on_link(bool up, std::string reason) = 0;
};

class Keeper {
 public:
  virtual ~Keeper() = default;
  virtual void set_listener(KeeperListener* listener) = 0;   // once, before start()
  // The greatest fencing epoch that was used with this folder; a later orchestrator begins with it.
  virtual std::uint64_t epoch() const = 0;
  virtual void launch(Launch launch) = 0;
  // Takes over a service that a former orchestrator launched and whose end it did not acknowledge; `id` as then.
  virtual void adopt(Serial serial, std::uint64_t incarnation, std::string id) = 0;
  // The end of that incarnation is durable: its record may go. Does nothing for one that has not ended.
  virtual void acknowledge(Serial serial, std::uint64_t incarnation) = 0;
  // Sends the signal (and SIGCONT after it) to the main process of that incarnation, or to all its processes at once,
  // as the order says; what is left when main has ended gets it then. When the order's time is over, all that is left
  // is killed.
  virtual void stop(Serial serial, std::uint64_t incarnation, const StopOrder& order) = 0;
  // Kills the main process and all its descendants (cgroup.kill where writable).
  virtual void kill(Serial serial, std::uint64_t incarnation) = 0;
  // The service is unregistered and swept, or unknown: what is left of it is stopped, its shim ends, its logs are
  // removed.
  virtual void forget(Serial serial) = 0;
};

}  // namespace azora::keeper
