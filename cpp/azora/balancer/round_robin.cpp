// Each eligible member once per round, in the order they joined (R42). The position is a place among *members*;
// places of ineligible members are skipped, so a flap shifts no other member's turn and the rest rotate exactly.
// Weights are ignored.
#include "azora/balancer/strategy.hpp"

namespace azora::balancer {
namespace {

// When a member's state and its bit differ, it is being changed at this moment. After more such members in a row than
// this, the pick starts again.
constexpr int kMostStale = 64;

// The first eligible member at or after the place `from`, cyclic, and its place.
Instance* first_from(const Members& members, Among among, std::uint32_t from,
                     std::uint32_t& place) {
  const std::uint32_t size = members.size();
  if (size == 0) return nullptr;
  place = from % size;
  Instance* member = members.at(place);
  if (member->in(among)) [[likely]] return member;
  for (int stale = 0; stale < kMostStale; ++stale) {
    place = members.next(among, place);
    if (place == kNoPlace) return nullptr;
    member = members.at(place);
    if (member->in(among)) return member;
    ++place;
  }
  return nullptr;
}

}  // namespace

Instance* round_robin(PoolReader& reader, const Ask& ask, Random&) {
  const Members& members = *reader.members.value;
  std::atomic<std::uint32_t>& position = reader.pool->position();
  std::uint32_t from = position.load(std::memory_order_relaxed);
  for (;;) {
    std::uint32_t place = 0;
    Instance* member = first_from(members, ask.among, from, place);
    if (!member || ask.peek) return member;
    // A position one past the end stays there: a member that joins now is next.
    if (position.compare_exchange_weak(from, place + 1, std::memory_order_relaxed)) return member;
  }
}

}  // namespace azora::balancer
