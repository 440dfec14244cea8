#include "azora/base/persistent_map.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace azora {
namespace {

// Few different hashes, and some that differ only in their highest bits: deep chains and full
// collisions.
struct PoorHash {
  std::uint64_t operator()(std::string_view key) const {
    const std::uint64_t hash = hash_bytes(key);
    return ((hash & 1U) << 63) | (hash & 6U);
  }
};

template <typename Map>
std::map<std::string, int> contents(const Map& map) {
  std::map<std::string, int> all;
  map.for_each([&](const std::string& key, int value) { all[key] = value; });
  return all;
}

template <typename Map>
void behaves_like_std_map(unsigned seed, int steps, int keys) {
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  Map map;
  std::map<std::string, int> model;
  std::vector<std::pair<Map, std::map<std::string, int>>> kept;
  for (int step = 0; step < steps; ++step) {
    const std::string key = "service-" + std::to_string(random() % static_cast<unsigned>(keys));
    if (random() % 3 != 0) {
      map = map.set(key, step);
      model[key] = step;
    } else {
      map = map.erase(key);
      model.erase(key);
    }
    ASSERT_EQ(map.size(), model.size());
    const int* found = map.find(key);
    ASSERT_EQ(found != nullptr, model.contains(key));
    if (found) {
      ASSERT_EQ(*found, model[key]);
    }
    if (step % 50 == 0) kept.emplace_back(map, model);
  }
  kept.emplace_back(map, model);
  for (const auto& [version, expected] : kept) ASSERT_EQ(contents(version), expected);
}

TEST(PersistentMap, BehavesLikeAMapAndKeepsEveryOldVersion) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    behaves_like_std_map<PersistentMap<int>>(seed, 2000, 300);
  }
}

TEST(PersistentMap, SurvivesKeysThatShareTheirHash) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    behaves_like_std_map<PersistentMap<int, PoorHash>>(seed, 600, 40);
  }
}

TEST(PersistentMap, AnEditLeavesTheVersionItBeganWithAlone) {
  PersistentMap<int> first;
  for (int i = 0; i < 100; ++i) first = first.set(std::to_string(i), i);
  auto edit = first.edit();
  for (int i = 0; i < 200; ++i) edit.set(std::to_string(i), -i);
  const PersistentMap<int> second = edit.done();
  for (int i = 0; i < 150; ++i) EXPECT_TRUE(edit.erase(std::to_string(i)));
  EXPECT_FALSE(edit.erase("0"));
  const PersistentMap<int> third = edit.done();
  EXPECT_EQ(first.size(), 100U);
  EXPECT_EQ(*first.find("7"), 7);
  EXPECT_EQ(second.size(), 200U);
  EXPECT_EQ(*second.find("7"), -7);
  EXPECT_EQ(third.size(), 50U);
  EXPECT_EQ(third.find("7"), nullptr);
  EXPECT_EQ(*third.find("199"), -199);
}

TEST(PersistentMap, VersionsShareWhatDidNotChange) {
  PersistentMap<std::shared_ptr<int>> map;
  for (int i = 0; i < 10'000; ++i) map = map.set(std::to_string(i), std::make_shared<int>(i));
  const auto changed = map.set("5", std::make_shared<int>(-5));
  int shared = 0;
  changed.for_each([&](const std::string& key, const std::shared_ptr<int>& value) {
    shared += map.find(key)->get() == value.get() ? 1 : 0;
  });
  EXPECT_EQ(shared, 9'999);
  // The very same entries, not copies of them.
  EXPECT_EQ(map.find("6"), changed.find("6"));
  EXPECT_EQ(map.find("6")->use_count(), 1);
}

TEST(PersistentMap, EqualContentsIterateInTheSameOrderHoweverTheyCameAbout) {
  PersistentMap<int> grown;
  PersistentMap<int> shrunk;
  for (int i = 0; i < 500; ++i) grown = grown.set(std::to_string(i), i);
  for (int i = 999; i >= 0; --i) shrunk = shrunk.set(std::to_string(i), i);
  for (int i = 500; i < 1000; ++i) shrunk = shrunk.erase(std::to_string(i));
  std::vector<std::string> a;
  std::vector<std::string> b;
  grown.for_each([&](const std::string& key, int) { a.push_back(key); });
  shrunk.for_each([&](const std::string& key, int) { b.push_back(key); });
  EXPECT_EQ(a, b);
}

TEST(PersistentMap, GivesItsMemoryBackWithTheLastVersion) {
  const auto value = std::make_shared<int>(1);
  {
    PersistentMap<std::shared_ptr<int>> map;
    for (int i = 0; i < 1000; ++i) map = map.set(std::to_string(i), value);
    const auto half = [&] {
      auto edit = map.edit();
      for (int i = 0; i < 500; ++i) edit.erase(std::to_string(i));
      return edit.done();
    }();
    EXPECT_EQ(value.use_count(), 1001);
    map = {};
    EXPECT_EQ(value.use_count(), 501);
  }
  EXPECT_EQ(value.use_count(), 1);
}

TEST(PersistentMap, ReadersOnOtherThreadsSeeWholeVersions) {
  auto edit = PersistentMap<int>().edit();
  for (int i = 0; i < 1000; ++i) edit.set(std::to_string(i), i);
  const PersistentMap<int> first = edit.done();
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 3; ++reader) {
    readers.emplace_back([version = first] {
      for (int round = 0; round < 20; ++round) {
        const PersistentMap<int> mine = version;
        int sum = 0;
        mine.for_each([&](const std::string&, int value) { sum += value; });
        EXPECT_EQ(sum, 499'500);
      }
    });
  }
  for (int i = 0; i < 2000; ++i) {
    edit.set(std::to_string(i), -1);
    if (i % 10 == 0) edit.done();
  }
  for (std::thread& reader : readers) reader.join();
}

}  // namespace
}  // namespace azora
