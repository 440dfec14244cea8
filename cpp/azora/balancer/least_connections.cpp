// Chooses the member with the least load per weight (R42). With up to 16 eligible members it looks at all of them and
// decides ties at random, which is exact. With more it draws two at random, in proportion to their weights where any
// were set, and the less loaded one wins. That is nearly exact, its cost does not grow, and picks never all rush to
// the member that looked idle last.
#include <array>
#include <bit>

#include "azora/balancer/quick.hpp"

namespace azora::balancer {
namespace {

// At most so many draws for an eligible member; then one is found by counting.
constexpr int kMostDraws = 8;

// a / wa < b / wb, and equal, without division.
struct Loaded {
  Instance* member;
  double load;
  double weight;
};
bool lighter(const Loaded& a, const Loaded& b) { return a.load * b.weight < b.load * a.weight; }
bool even(const Loaded& a, const Loaded& b) { return a.load * b.weight == b.load * a.weight; }

Loaded loaded(Instance* member, bool weights) {
  return {member, static_cast<double>(member->load()), weights ? member->load_weight() : 1.0};
}

Instance* scan(const Members& members, Among among, bool weights, Random& random) {
  std::array<Instance*, kFullScan> ties;
  std::size_t tied = 0;
  Loaded best{};
  for (std::size_t index = 0; index < members.chunks().size(); ++index) {
    const Chunk& chunk = *members.chunks()[index];
    if (chunk.count(among) == 0) continue;
    for (std::uint32_t at = 0; at < chunk.words(); ++at) {
      for (std::uint64_t word = chunk.word(among, at); word != 0; word &= word - 1) {
        Instance* member =
            chunk.at(at * 64 + static_cast<std::uint32_t>(std::countr_zero(word))).get();
        if (!member || !member->in(among)) continue;
        const Loaded here = loaded(member, weights);
        if (!(here.weight > 0)) continue;
        if (tied == 0 || lighter(here, best)) {
          best = here;
          tied = 0;
        } else if (!even(here, best)) {
          continue;
        }
        if (tied < ties.size()) ties[tied++] = member;
      }
    }
  }
  if (tied == 0) return nullptr;
  return tied == 1 ? ties[0] : ties[random.below(tied)];
}

// Draws one eligible member at random.
Instance* draw(PoolReader& reader, const Members& members, Among among, bool weights,
               Random& random) {
  const WeightTable* table = weights ? &reader.pool->load_weights(reader) : nullptr;
  for (int tried = 0; tried < kMostDraws; ++tried) {
    Instance* member = nullptr;
    if (table) {
      if (table->total() == 0) return nullptr;
      member = table->at(random.below(table->total()));
    } else {
      if (members.size() == 0) return nullptr;  // this version is from before the first member joined
      member = members.at(static_cast<std::uint32_t>(random.below(members.size())));
    }
    if (member->in(among)) [[likely]] return member;
  }
  const std::uint32_t count = reader.pool->count(among);
  if (count == 0) return nullptr;
  const std::uint32_t place = members.nth(among, static_cast<std::uint32_t>(random.below(count)));
  if (place == kNoPlace) return nullptr;
  Instance* member = members.at(place);
  return member->in(among) && (!weights || member->load_weight() > 0) ? member : nullptr;
}

}  // namespace

Instance* least_connections(PoolReader& reader, const Ask& ask, Random& random) {
  const Members& members = *reader.members.value;
  const bool weights = reader.pool->explicit_weights();
  if (reader.pool->count(ask.among) <= kFullScan) {
    return scan(members, ask.among, weights, random);
  }
  Instance* one = draw(reader, members, ask.among, weights, random);
  Instance* two = draw(reader, members, ask.among, weights, random);
  // Both draws fail only where nearly all members have weight 0 or all are changing.
  if (!one && !two) return scan(members, ask.among, weights, random);
  if (!one || !two) return one ? one : two;
  return lighter(loaded(two, weights), loaded(one, weights)) ? two : one;
}

}  // namespace azora::balancer
