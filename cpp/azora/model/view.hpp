#pragma once
// What readers see of one service at one moment. Immutable; replaced alone when that service changed; its
// JSON is made lazily by the first reader and kept (semantics 13).
// Threads: any; the cached texts are set once through atomics.
// Ownership: shared_ptr<const ServiceView>, held by the published table and by readers.
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "azora/base/boxed.hpp"
#include "azora/base/time.hpp"
#include "azora/model/health_status.hpp"
#include "azora/model/lifecycle.hpp"
#include "azora/model/service_spec.hpp"

namespace azora {

struct ExitView {
  std::optional<int> code;
  std::optional<int> signal;
  std::optional<bool> oom;
  WallTime at;
};

struct ProcessView {
  std::optional<int> pid;                    // nullopt: not running
  std::optional<WallTime> started_at;
  std::optional<double> cpu_percent;
  std::optional<std::int64_t> rss_bytes;
  std::optional<ExitView> last_exit;
  std::uint64_t log_dropped = 0;             // lines lost to a slow or full disk
};

// What its last answers said beyond their verdict, or why there was none; most of a large fleet says nothing.
struct Remarks {
  std::string last_error;                    // empty: none
  std::shared_ptr<const std::string> cpu;    // JSON text or null
  std::shared_ptr<const std::string> memory;
};

class ServiceView {
 public:
  SpecPtr spec;
  std::uint64_t serial = 0;                  // never reused
  std::uint64_t order = 0;                   // place in listings: registration order, kept by overwriting
  std::uint64_t incarnation = 0;
  std::uint64_t generation = 0;              // of the configuration
  std::uint64_t seq = 0;                     // last event this view reflects
  HealthStatus status = HealthStatus::unknown;
  Lifecycle lifecycle = Lifecycle::watching;
  Desired desired = Desired::up;
  bool restart_required = false;
  WallTime last_check;
  WallTime start_time;
  std::int64_t uptime_ms = 0;                // as of last_check
  std::int64_t response_ms = 0;
  int restart_count = 0;
  std::int64_t error_count = 0;
  std::shared_ptr<const Remarks> remarks;    // null: none
  Boxed<ProcessView> process;                // set for process services

  ServiceView() = default;
  ServiceView(const ServiceView& other);     // copies the facts, not the cached texts
  ServiceView& operator=(const ServiceView&) = delete;
  ~ServiceView();

  const std::string& last_error() const;     // empty: none
  // ServiceHealth of the wire contract: {"serviceId",...,"responseTime"[,"cpu","memory"]}. The reference
  // lives as long as this view.
  const std::string& health_json() const;
  // {"config":..,"health":..,"startTime":..,"lifecycle":..,"desired":..[,"process":..]} = GET /services/{id}.
  const std::string& service_json() const;
  // Of both, made in this program so far (semantics 13).
  static std::uint64_t bytes_made();

 private:
  mutable std::atomic<const std::string*> health_json_{nullptr};
  mutable std::atomic<const std::string*> service_json_{nullptr};
};

using ViewPtr = std::shared_ptr<const ServiceView>;

}  // namespace azora
