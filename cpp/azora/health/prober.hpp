#pragma once
// One question of one check, and its answer. Implemented by NetProber (probers on the net thread) and
// by FakeProber (tests, simulation).
// Guarantees: every request is answered exactly once, not later than its timeout plus one tick (10 ms),
// also when cancelled (outcome `cancelled`). Answers come in batches, on the control thread.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "azora/base/time.hpp"
#include "azora/health/check_key.hpp"
#include "azora/model/probe_spec.hpp"

namespace azora::health {

enum class Outcome : std::uint8_t {
  answered,        // an HTTP status came (and the body ended, or reached its cap), or tcp connected
  refused,         // no connection: refused, reset, unreachable
  timed_out,       // the total deadline passed
  protocol_error,  // the answer is not HTTP, or broke a cap
  foreign,         // it came from another program than the service (R52)
  unresolved,      // the host name has no address, and never had one; decides nothing
  cancelled,       // we cancelled it; decides nothing
  overloaded,      // we could not even ask (no descriptors, caps); decides nothing
};

using azora::ProbeTarget;

struct ProbeRequest {
  Serial serial = 0;               // of the check; also the key for connection reuse
  CheckKey::Slot slot = CheckKey::kNoSlot;
  std::uint64_t incarnation = 0;
  std::uint64_t generation = 0;    // of its configuration
  std::shared_ptr<const ProbeTarget> target;

  CheckKey check() const { return {serial, slot}; }
};

struct ProbeResult {
  Serial serial = 0;
  CheckKey::Slot slot = CheckKey::kNoSlot;
  std::uint64_t incarnation = 0;
  std::uint64_t generation = 0;
  Outcome outcome = Outcome::cancelled;
  int http_status = 0;             // 0 unless answered by HTTP
  Micros latency{0};               // from the actual send (or connect) to the end of the answer
  SteadyTime ended{};              // stamped when the kernel handed the answer over
  std::string error;               // for people: "connection refused", "no response within 5000 ms"
  std::string remark;              // what people should know beside the verdict; empty: nothing
  std::shared_ptr<const std::string> cpu;     // JSON text of the body's `cpu` key, if any
  std::shared_ptr<const std::string> memory;  // likewise `memory`

  CheckKey check() const { return {serial, slot}; }
};

class Prober {
 public:
  using Sink = std::function<void(const std::vector<ProbeResult>&)>;  // called on the control thread
  virtual ~Prober() = default;
  virtual void set_sink(Sink sink) = 0;                      // once, before the first ask()
  // Takes the questions; `batch` is empty afterwards and keeps room for the next ones. Control thread.
  virtual void ask(std::vector<ProbeRequest>& batch) = 0;
  // Drops the open probe and the kept connection of a check. Its request is still answered. Control thread.
  virtual void forget(CheckKey check) = 0;
};

}  // namespace azora::health
