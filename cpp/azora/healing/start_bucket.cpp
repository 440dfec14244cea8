#include "azora/healing/start_bucket.hpp"

#include <algorithm>

namespace azora::healing {

void StartBucket::enter(std::uint64_t serial, int rank, int priority, SteadyTime due) {
  leave(serial);
  const Place place{rank, -priority, due, serial};
  queue_.insert(place);
  place_of_.emplace(serial, place);
}

void StartBucket::leave(std::uint64_t serial) {
  const auto found = place_of_.find(serial);
  if (found == place_of_.end()) return;
  queue_.erase(found->second);
  place_of_.erase(found);
}

std::optional<std::uint64_t> StartBucket::grant(SteadyTime now) {
  if (queue_.empty() || full()) return std::nullopt;
  if (per_second_ > 0) {
    const Nanos token = Nanos(std::chrono::seconds(1)) / per_second_;
    const SteadyTime full_since = now - std::chrono::seconds(1);
    empty_at_ = std::max(empty_at_, full_since);
    if (now - empty_at_ < token) return std::nullopt;
    empty_at_ += token;
  }
  const std::uint64_t serial = std::get<3>(*queue_.begin());
  leave(serial);
  held_.insert(serial);
  return serial;
}

std::optional<SteadyTime> StartBucket::next(SteadyTime now) const {
  if (queue_.empty() || full()) return std::nullopt;
  if (per_second_ <= 0) return now;
  return std::max(now, empty_at_ + Nanos(std::chrono::seconds(1)) / per_second_);
}

}  // namespace azora::healing
