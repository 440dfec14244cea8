#pragma once
// The table of events for people: when each one happens and which keys it has beyond the common ones; and what every
// key means. Python's types of events and the documentation are compared with it. Threads: any; constant data.
#include <span>
#include <string_view>

#include "azora/model/event.hpp"

namespace azora {

struct EventRow {
  EventType type = EventType::gap;
  std::string_view doc = {};
  std::string_view keys = {};  // always there; separated by spaces
  std::string_view more = {};  // there when they are known
  bool of_service = true;      // false: about the whole fleet or the reader, serviceId is null
};

struct EventKeyRow {
  std::string_view name = {};
  std::string_view type = {};  // "integer", "string", "boolean", "strings" or "time"
  bool nullable = false;       // null where nothing is known
  bool common = false;         // every event has it
  std::string_view doc = {};
};

// In the order of EventType.
std::span<const EventRow> event_rows();
// In the order of the wire.
std::span<const EventKeyRow> event_key_rows();

}  // namespace azora
