// Exact shares by weight (semantics 42, 46d): the points of a fixed stride through the table over
// all members; a point of an ineligible member is passed over, so the others keep their exact
// shares among themselves.
#include "azora/balancer/strategy.hpp"

namespace azora::balancer {
namespace {

// The stride spreads points so evenly that a set with a sixteenth of the weight is met within
// that many; only where less is eligible the pick is scaled to them by hand.
constexpr int kMostPoints = 64;

// The eligible member at `point` of `total`, scaled to their weight alone.
Instance* among_eligible(const Members& members, Among among, std::uint64_t point,
                         std::uint64_t total) {
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
  double left = static_cast<double>(point) / static_cast<double>(total) * sum;
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
  // Nobody with a weight in the table; a newer one may be on its way.
  if (table.total() == 0) return among_eligible(members, ask.among, 0, 1);
  std::uint64_t point = ask.peek ? table.peek() : table.draw();
  for (int tried = 0; tried < kMostPoints; ++tried) {
    Instance* member = table.at(point);
    if (member->in(ask.among)) [[likely]] return member;
    point = ask.peek ? table.after(point) : table.draw();
  }
  return among_eligible(members, ask.among, point, table.total());
}

}  // namespace azora::balancer
