// Keys of large pools: one outcome whatever the order, even shares, few moves, and no pick that has to make it.
#include "azora/balancer/key_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "azora/base/hash.hpp"
#include "balancer/rig.hpp"

namespace azora::balancer {
namespace {

constexpr int kLarge = 3000;

std::string id_of(int i) { return "s" + std::to_string(i); }

using Map = std::map<std::string, std::string>;

Map map_of(Rig& rig, int keys = 20'000) {
  Map map;
  for (int i = 0; i < keys; ++i) {
    const std::string key = "client-" + std::to_string(i);
    map[key] = rig.fast("t", Strategy::ip_hash, key);
  }
  return map;
}

// Owner of every slot.
std::vector<std::uint32_t> owners(const KeyIndex& index) {
  std::vector<std::uint32_t> all;
  for (std::uint32_t slot = 0; slot < index.slots(); ++slot) all.push_back(index.owner(slot));
  return all;
}

TEST(KeyIndex, HasOneOutcomeWhateverTheOrder) {
  // Crowded around the end and the beginning, so that runs go over it; and spread.
  std::vector<std::uint64_t> hashes;
  for (std::uint64_t i = 0; i < 600; ++i) {
    hashes.push_back(UINT64_MAX - mix64(i) / 1000);
    hashes.push_back(mix64(i) / 900);
    hashes.push_back(mix64(i + 7000));
  }
  KeyIndex straight(2000);
  for (std::uint32_t i = 0; i < hashes.size(); ++i) straight.insert(hashes[i], i);
  const std::vector<std::uint32_t> wanted = owners(straight);
  EXPECT_EQ(std::count(wanted.begin(), wanted.end(), kNoPlace), straight.slots() - std::ptrdiff_t(hashes.size()));

  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    std::vector<std::uint32_t> order(hashes.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), random);
    KeyIndex index(2000);
    for (std::uint32_t i = 0; i < order.size(); ++i) {
      index.insert(hashes[order[i]], order[i]);
      // Guests come and go meanwhile.
      if (i % 3 == 0) index.insert(mix64(i * 31) / (i % 2 == 0 ? 1 : 1000), 1'000'000 + i);
    }
    for (std::uint32_t i = 0; i < order.size(); i += 3) {
      index.erase(mix64(i * 31) / (i % 2 == 0 ? 1 : 1000), 1'000'000 + i);
    }
    ASSERT_EQ(owners(index), wanted);
  }
}

TEST(KeyIndex, ErasingWhoIsNotThereChangesNothing) {
  KeyIndex index(100);
  index.insert(5, 1);
  const std::vector<std::uint32_t> before = owners(index);
  index.erase(5, 2);
  index.erase(UINT64_MAX, 1);
  EXPECT_EQ(owners(index), before);
}

TEST(KeyIndex, GrowsSeldomAndShrinksLate) {
  const KeyIndex index(601);
  EXPECT_TRUE(index.fits(1000));
  EXPECT_FALSE(index.fits(index.slots() / 2 + 1));
  const KeyIndex larger(index.slots() / 2 + 1);
  EXPECT_EQ(larger.slots(), index.slots() * 4);
  EXPECT_EQ(KeyIndex(larger.room_for(index.slots() / 2)).slots(), larger.slots()) << "who flaps at the limit moves nobody";
  EXPECT_EQ(KeyIndex(larger.room_for(larger.slots() / 16 - 1)).slots(), index.slots());
}

TEST(LargeIpHash, NoPickMakesATable) {
  Rig rig;
  for (int i = 0; i < kLarge; ++i) rig.add(id_of(i));
  const BalancerMetrics before = rig.balancer.metrics();
  ASSERT_NE(rig.fast("t", Strategy::ip_hash, "k"), "-");
  rig.add("new");
  rig.remove(id_of(7));
  ASSERT_NE(rig.fast("t", Strategy::ip_hash, "k"), "-");
  EXPECT_EQ(rig.balancer.metrics().tables_built, before.tables_built);
}

TEST(LargeIpHash, DependsOnTheIdsAlone) {
  Rig one;
  for (int i = 0; i < kLarge; ++i) one.add(id_of(i), {.weight = 9});
  Rig other;
  for (int i = kLarge - 1; i >= 0; --i) {
    other.add(id_of(i), {.endpoint = "http://moved/" + std::to_string(i)});
    // Each third leaves a gap; then they are closed.
    if (i % 3 == 0) other.add("guest-" + std::to_string(i));
  }
  for (int i = 0; i < kLarge; i += 3) other.remove("guest-" + std::to_string(i));
  EXPECT_EQ(map_of(one), map_of(other));
}

TEST(LargeIpHash, SpreadsKeysEvenly) {
  Rig rig;
  for (int i = 0; i < kLarge; ++i) rig.add(id_of(i));
  std::map<std::string, int> shares;
  constexpr int kKeys = 300'000;
  for (int i = 0; i < kKeys; ++i) ++shares[rig.fast("t", Strategy::ip_hash, "client-" + std::to_string(i))];
  ASSERT_EQ(shares.size(), std::size_t{kLarge});
  double chi = 0;
  const double mean = double{kKeys} / kLarge;
  for (const auto& [id, count] : shares) chi += (count - mean) * (count - mean) / mean;
  // As even as keys drawn by lot: chi-squared of 2999 degrees, six standard deviations.
  EXPECT_NEAR(chi, kLarge - 1, 6 * std::sqrt(2.0 * kLarge));
}

TEST(LargeIpHash, AFlapMovesNoKeyOfAnother) {
  Rig rig;
  for (int i = 0; i < kLarge; ++i) rig.add(id_of(i));
  const Map before = map_of(rig);
  std::map<std::string, int> heirs;
  for (int i = 0; i < 100; ++i) rig.down(id_of(i * 17));
  const Map during = map_of(rig);
  for (const auto& [key, id] : before) {
    const int number = std::stoi(id.substr(1));
    if (number % 17 == 0 && number < 1700) {
      EXPECT_NE(during.at(key), id);
      ++heirs[during.at(key)];
    } else {
      EXPECT_EQ(during.at(key), id) << key;
    }
  }
  EXPECT_GE(heirs.size(), 100U) << "their keys spread";
  for (int i = 0; i < 100; ++i) rig.up(id_of(i * 17));
  EXPECT_EQ(map_of(rig), before) << "and come back";
}

TEST(LargeIpHash, JoiningAndLeavingMoveFewKeysBesideTheirOwn) {
  Rig rig;
  for (int i = 0; i < kLarge; ++i) rig.add(id_of(i));
  const Map before = map_of(rig);
  for (int i = 0; i < 30; ++i) rig.add("new-" + std::to_string(i));
  const Map with = map_of(rig);
  int own = 0;
  int others = 0;
  for (const auto& [key, id] : with) {
    if (id == before.at(key)) continue;
    id.starts_with("new-") ? ++own : ++others;
  }
  EXPECT_NEAR(own, 20'000 * 30 / 3030, 60);
  EXPECT_LE(others, own) << "a newcomer pushes less than one neighbour aside";
  for (int i = 0; i < 30; ++i) rig.remove("new-" + std::to_string(i));
  EXPECT_EQ(map_of(rig), before);
}

TEST(LargeIpHash, WithNearlyAllDownEveryKeyFindsWhoIsUp) {
  Rig rig;
  for (int i = 0; i < kLarge; ++i) rig.put(id_of(i));
  for (const char* id : {"s7", "s70", "s170"}) rig.up(id);
  std::map<std::string, int> shares;
  for (const auto& [key, id] : map_of(rig, 600)) ++shares[id];
  ASSERT_EQ(shares.size(), 3U);
  for (const auto& [id, count] : shares) EXPECT_NEAR(count, 200, 80) << id;
}

TEST(LargeIpHash, APoolThatShrinksGoesBackToItsTable) {
  Rig rig;
  for (int i = 0; i < 20; ++i) rig.add(id_of(i));
  const Map small = map_of(rig, 500);
  for (int i = 20; i < kLarge; ++i) rig.add(id_of(i));
  const Map large = map_of(rig, 500);
  for (int i = 20; i < kLarge; ++i) rig.remove(id_of(i));
  EXPECT_EQ(map_of(rig, 500), small);
  for (int i = 20; i < kLarge; ++i) rig.add(id_of(i));
  EXPECT_EQ(map_of(rig, 500), large);
}

}  // namespace
}  // namespace azora::balancer
