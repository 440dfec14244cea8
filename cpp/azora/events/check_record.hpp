#pragma once
// Health checks in the event log: the report of one check, and the 32 bytes in which it is kept. Most events are
// checks, and few of them are ever read. So a check becomes an Event only for a reader that wants it (check_event).
// Threads: values. Fails: never.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "azora/base/time.hpp"
#include "azora/model/event.hpp"
#include "azora/model/health_status.hpp"

namespace azora::events {

// One counted health check of one service.
struct Check {
  std::uint64_t serial = 0;  // of a service that has a name in the log
  std::uint64_t incarnation = 0;
  WallTime time;
  std::int32_t response_ms = 0;
  HealthStatus status = HealthStatus::unknown;  // the meaning of this answer, not the status of the service
  std::string reason;                           // why it did not pass; empty if it passed
};

class CheckRecord {
 public:
  CheckRecord() = default;  // leaves its bytes uninitialised, so that memory for many is not touched before use
  CheckRecord(std::uint64_t seq, const Check& check)
      : seq_(seq),
        time_ms_(check.time.ms),
        serial_low_(static_cast<std::uint32_t>(check.serial)),
        incarnation_(static_cast<std::uint32_t>(std::min(check.incarnation, kLastIncarnation))),
        response_ms_(check.response_ms),
        reason_(0),
        serial_high_(static_cast<std::uint8_t>(check.serial >> 32)),
        status_(check.status) {}

  std::uint64_t seq() const { return seq_; }
  WallTime time() const { return {time_ms_}; }
  // The lower 40 bits of the serial: one run cannot have more registrations.
  std::uint64_t serial() const { return std::uint64_t{serial_high_} << 32 | serial_low_; }
  std::uint64_t incarnation() const { return incarnation_; }
  std::int32_t response_ms() const { return response_ms_; }
  HealthStatus status() const { return status_; }
  // Place of the reason in the memory's strings (string_table.hpp); 0: none.
  std::uint16_t reason() const { return reason_; }
  void set_reason(std::uint16_t place) { reason_ = place; }

 private:
  static constexpr std::uint64_t kLastIncarnation = std::numeric_limits<std::uint32_t>::max();

  std::uint64_t seq_;
  std::int64_t time_ms_;
  std::uint32_t serial_low_;
  std::uint32_t incarnation_;
  std::int32_t response_ms_;
  std::uint16_t reason_;
  std::uint8_t serial_high_;
  HealthStatus status_;
};
static_assert(sizeof(CheckRecord) == 32);

// The event that a reader gets. `reason`: null if there is none.
inline Event check_event(const CheckRecord& record, std::shared_ptr<const std::string> id, const std::string* reason) {
  Event event;
  event.seq = record.seq();
  event.time = record.time();
  event.type = EventType::health_check;
  event.check_status = record.status();
  event.response_ms = record.response_ms();
  event.service_id = std::move(id);
  event.incarnation = record.incarnation();
  event.cause = "probe";
  event.actor = "orchestrator";
  if (reason != nullptr) {
    auto detail = std::make_unique<EventDetail>();
    detail->reason = *reason;
    event.detail = std::move(detail);
  }
  return event;
}

}  // namespace azora::events
