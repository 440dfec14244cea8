#pragma once
// A question about past events, and one page of the answer. Values: any thread. Fails: never.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "azora/base/time.hpp"

namespace azora::store {

struct HistoryQuery {
  static constexpr std::uint64_t kNoEnd = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

  std::uint64_t after = 0;        // events behind this number
  std::uint64_t before = kNoEnd;  // and before this one
  std::optional<WallTime> since;  // not earlier
  std::optional<WallTime> until;  // earlier than this
  std::uint32_t types = ~std::uint32_t{0};  // bit per EventType
  std::string service;            // of a service, or of an entry: all its instances; empty: any
  std::size_t limit = 1'000;      // at least 1
};

struct PastEvent {
  std::uint64_t seq = 0;
  std::string json;  // as event_json() makes it
};

// State events that were lost before they could be stored, and the numbers between which they lay.
struct Hole {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t count = 0;
  friend bool operator==(const Hole&, const Hole&) = default;
};

struct HistoryPage {
  std::vector<PastEvent> events;  // in order of their numbers, at most `limit`
  std::vector<Hole> holes;        // that touch the numbers this page covers
  // Everything up to this number is in this page or does not answer the question.
  std::uint64_t through = 0;
  bool more = false;  // there may be more behind `through`
};

}  // namespace azora::store
