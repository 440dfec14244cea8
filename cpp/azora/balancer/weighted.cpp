// Exact shares by weight (R42, R46d): a fixed stride visits points of the table over all members. A point of an
// ineligible member is skipped, so the others keep their exact shares among themselves.
#include "azora/balancer/strategy.hpp"

namespace azora::balancer {
namespace {

// The stride spreads points so evenly that it meets a set with a sixteenth of the weight within this many. Only where
// less is eligible, among_eligible() goes through the eligible members itself.
constexpr int kMostPoints = 64;

constexpr std::uint64_t kGoldenTurn = 0x9e3779b97f4a7c15ULL;  // 2^64 / golden ratio

// For few eligible members: each turn advances by the golden ratio around the circle of their weights. This is a
// sequence of its own, since every 65th point of the table's would favour some of them. Both sequences are
// proportional, so their sum is, too.
Instance* among_eligible(Pool& pool, const Members& members, const Ask& ask) {
  const Among among = ask.among;
  double sum = 0;
  const std::uint32_t count = members.size();
  std::uint32_t first = kNoPlace;
  for (std::uint32_t from = 0; from < count;) {
    const std::uint32_t place = members.next(among, from);
    if (place == kNoPlace || place < from) break;
    if (first == kNoPlace) first = place;
    sum += members.at(place)->weight();
    from = place + 1;
  }
  if (!(sum > 0)) return nullptr;
  const std::uint64_t turn = ask.peek ? pool.scarce_turns().load(std::memory_order_relaxed)
                                      : pool.scarce_turns().fetch_add(1, std::memory_order_relaxed);
  double left = static_cast<double>(turn * kGoldenTurn) * 0x1p-64 * sum;
  Instance* last = nullptr;
  for (std::uint32_t from = first; from < count;) {
    const std::uint32_t place = members.next(among, from);
    if (place == kNoPlace || place < from) break;
    Instance* member = members.at(place);
    const double weight = member->weight();
    if (weight > 0 && member->in(among)) {
      last = member;
      left -= weight;
      if (left < 0) break;
    }
    from = place + 1;
  }
  return last;
}

}  // namespace

Instance* weighted(PoolReader& reader, const Ask& ask, Random&) {
  const WeightTable& table = reader.pool->weights(reader);
  const Members& members = *reader.members.value;
  // No member of the table has a weight; a newer table may be under way.
  if (table.total() == 0) return among_eligible(*reader.pool, members, ask);
  std::uint64_t point = ask.peek ? table.peek() : 0;
  for (int tried = 0; tried < kMostPoints; ++tried) {
    Instance* member = ask.peek ? table.at(point) : table.next();
    if (member->in(ask.among)) [[likely]] return member;
    point = table.after(point);
  }
  return among_eligible(*reader.pool, members, ask);
}

}  // namespace azora::balancer
