#pragma once
// What readers see of one service. Immutable; only this view is replaced when the status, lifecycle, configuration,
// process or desired state of its service changed. Values that change with every check are in the record of figures
// that the view refers to. Its JSON is put together around the figures of the moment: the configuration before them is
// kept in the spec, the part after them is made by the first reader and kept in the view.
// Threads: any.
// Ownership: shared_ptr<const ServiceView>, held by the published table and by readers; shares its record of figures.
// Fails: never.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azora/base/boxed.hpp"
#include "azora/base/made_once.hpp"
#include "azora/base/time.hpp"
#include "azora/model/figures.hpp"
#include "azora/model/health_status.hpp"
#include "azora/model/lifecycle.hpp"
#include "azora/model/owner_state.hpp"
#include "azora/model/service_spec.hpp"

namespace azora {

struct ExitView {
  std::optional<int> code;
  std::optional<int> signal;
  std::optional<bool> oom;
  WallTime at;
  bool by_itself = false;                    // known to have ended before any stop of ours reached it
  std::optional<int> left_pid;               // it went into the background (R61) and left this process
};

// What is wrong with a program that goes into the background, and what to do about it.
std::string daemonizing_text(int left_pid);

// Lines of output in a row that could not be written.
struct LogLossView {
  std::uint64_t lines = 0;
  std::uint64_t bytes = 0;
  WallTime since;
  std::string reason;
  bool goes_on = false;                      // nothing could be written since then
};

struct ProcessView {
  std::optional<int> pid;                    // nullopt: not running
  std::optional<WallTime> started_at;
  std::optional<ExitView> last_exit;
  std::uint64_t log_dropped = 0;             // lines lost to a slow or full disk
  std::shared_ptr<const LogLossView> log_loss;  // the newest of them; nullptr: none was ever lost
};

// Facts about healing, for `why`; most services of a large fleet have none of them.
struct HealingView {
  std::string_view cause;                    // of the present episode, static; empty: none
  int attempts = 0;                          // restarts of this episode
  bool failing = false;                      // the episode began with a failure
  bool permit_asked = false;                 // a restart waits for a permit
  bool action_running = false;               // its restart callable was called and has not returned
  bool held_back = false;                    // a former process of this id is not proven gone
  OptionalTime next_attempt;
  std::vector<std::string> blocked_by;       // unmet hard dependencies
  std::string action_error;                  // why its last restart callable failed
  std::string warning;                       // it runs, but not quite as asked for
  friend bool operator==(const HealingView&, const HealingView&) = default;
};

// For an entry with replicas that is shown as one service.
struct InstancesView {
  std::vector<std::string> ids;              // of its instances, by index
  std::size_t ready = 0;                     // how many of them are ready
  Figures figures;                           // of all instances, from when the view was made
};

class ServiceView {
 public:
  SpecPtr spec;
  std::uint64_t serial = 0;                  // never reused
  std::uint64_t order = 0;                   // place in listings: registration order, kept by overwriting
  std::uint64_t incarnation = 0;
  std::uint64_t generation = 0;              // of the configuration
  HealthStatus status = HealthStatus::unknown;
  Lifecycle lifecycle = Lifecycle::watching;
  Desired desired = Desired::up;
  bool restart_required = false;
  int restart_count = 0;
  WallTime start_time;
  std::shared_ptr<const FigureRecord> record;   // null: all figures are 0
  Boxed<HealingView> healing;                // null: all values are the default ones
  Boxed<OwnerState> owner;                   // null: neither drain nor maintenance
  Boxed<ProcessView> process;                   // set for process services
  Boxed<InstancesView> instances;            // set for an entry with replicas, which has no record and process

  // The figures of this moment, fresher than the view.
  Figures figures() const { return record ? record->read() : instances ? instances->figures : Figures{}; }
  std::uint32_t figures_version() const { return record ? record->version() : 0; }
  const HealingView& healing_or_default() const;
  // True if it ended by itself, is not started again and is still wanted up: its endpoint is not served (R54).
  bool is_ended() const {
    return lifecycle == Lifecycle::done && desired == Desired::up && spec->endpoint.has_value();
  }

  // ServiceHealth of the wire contract: {"serviceId",...,"responseTime"[,"cpu","memory"]}.
  void append_health(std::string& out, const Figures& figures) const;
  std::string health_json(const Figures& figures) const;
  std::string health_json() const { return health_json(figures()); }
  // {"config":..,"health":..,"startTime":..,"lifecycle":..,"desired":..[,"drain":..][,"maintenance":..][,"process":..]} =
  // GET /services/{id}.
  std::string service_json(const Figures& figures) const;
  std::string service_json() const { return service_json(figures()); }
  // An element of GET /status/detailed: the keys of health, "config", then those of service_json() after "health" but
  // "lastError", which health has. Nothing of it is kept in the view.
  void append_detailed(std::string& out, const Figures& figures) const;
  // How many bytes of text this program has made so far that views keep.
  static std::uint64_t bytes_made();

 private:
  // The part of service_json() after "health", with the places where changing figures are put in.
  struct Tail {
    std::string text;
    std::size_t error = 0;  // "lastError" goes here
    std::size_t usage = 0;  // then "cpuPercent" and "rssBytes" of a process
  };
  Tail make_tail() const;
  void append_process(std::string& out, const Tail& tail, const Figures& figures) const;

  MadeOnce<Tail> tail_;
};

using ViewPtr = std::shared_ptr<const ServiceView>;

}  // namespace azora
