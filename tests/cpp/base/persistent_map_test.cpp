#include "azora/base/persistent_map.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
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

struct Item {
  std::string key;
  int value = 0;
};
using Shared = std::shared_ptr<const Item>;
struct KeyOfItem {
  std::string_view operator()(const Item& item) const { return item.key; }
  std::string_view operator()(const Shared& item) const { return item->key; }
};
using Map = PersistentMap<Item, KeyOfItem>;
using SharedMap = PersistentMap<Shared, KeyOfItem>;

Item item(int key, int value) { return {std::to_string(key), value}; }
Shared shared(int key, int value) { return std::make_shared<const Item>(item(key, value)); }

template <typename Map>
std::map<std::string, int> contents(const Map& map) {
  std::map<std::string, int> all;
  map.for_each([&](const Item& item) { all[item.key] = item.value; });
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
      map = map.set({key, step});
      model[key] = step;
    } else {
      map = map.erase(key);
      model.erase(key);
    }
    ASSERT_EQ(map.size(), model.size());
    const Item* found = map.find(key);
    ASSERT_EQ(found != nullptr, model.contains(key));
    if (found) {
      ASSERT_EQ(found->value, model[key]);
    }
    if (step % 50 == 0) kept.emplace_back(map, model);
  }
  kept.emplace_back(map, model);
  for (const auto& [version, expected] : kept) ASSERT_EQ(contents(version), expected);
}

TEST(PersistentMap, BehavesLikeAMapAndKeepsEveryOldVersion) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    behaves_like_std_map<Map>(seed, 2000, 300);
  }
}

TEST(PersistentMap, SurvivesKeysThatShareTheirHash) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    behaves_like_std_map<PersistentMap<Item, KeyOfItem, PoorHash>>(seed, 600, 40);
  }
}

TEST(PersistentMap, AnEditLeavesTheVersionItBeganWithAlone) {
  Map first;
  for (int i = 0; i < 100; ++i) first = first.set(item(i, i));
  auto edit = first.edit();
  for (int i = 0; i < 200; ++i) edit.set(item(i, -i));
  const Map second = edit.done();
  for (int i = 0; i < 150; ++i) EXPECT_TRUE(edit.erase(std::to_string(i)));
  EXPECT_FALSE(edit.erase("0"));
  const Map third = edit.done();
  EXPECT_EQ(first.size(), 100U);
  EXPECT_EQ(first.find("7")->value, 7);
  EXPECT_EQ(second.size(), 200U);
  EXPECT_EQ(second.find("7")->value, -7);
  EXPECT_EQ(third.size(), 50U);
  EXPECT_EQ(third.find("7"), nullptr);
  EXPECT_EQ(third.find("199")->value, -199);
}

TEST(PersistentMap, VersionsShareWhatDidNotChange) {
  Map map;
  for (int i = 0; i < 10'000; ++i) map = map.set(item(i, i));
  const Map changed = map.set(item(5, -5));
  EXPECT_EQ(changed.find("5")->value, -5);
  int copied = 0;
  changed.for_each([&](const Item& one) { copied += map.find(one.key) == &one ? 0 : 1; });
  // The very same values but for the nodes on the way to the changed one, of 32 places each.
  EXPECT_GE(copied, 1);
  EXPECT_LE(copied, 4 * 32);
}

TEST(PersistentMap, EqualContentsIterateInTheSameOrderHoweverTheyCameAbout) {
  Map grown;
  Map shrunk;
  for (int i = 0; i < 500; ++i) grown = grown.set(item(i, i));
  for (int i = 999; i >= 0; --i) shrunk = shrunk.set(item(i, i));
  for (int i = 500; i < 1000; ++i) shrunk = shrunk.erase(std::to_string(i));
  std::vector<std::string> a;
  std::vector<std::string> b;
  grown.for_each([&](const Item& one) { a.push_back(one.key); });
  shrunk.for_each([&](const Item& one) { b.push_back(one.key); });
  EXPECT_EQ(a, b);
}

TEST(PersistentMap, GivesItsMemoryBackWithTheLastVersion) {
  std::vector<Shared> items;
  for (int i = 0; i < 1000; ++i) items.push_back(shared(i, i));
  const auto held = [&] {
    return std::count_if(items.begin(), items.end(), [](const Shared& one) { return one.use_count() > 1; });
  };
  {
    SharedMap map;
    for (const Shared& one : items) map = map.set(one);
    const SharedMap half = [&] {
      auto edit = map.edit();
      for (int i = 0; i < 500; ++i) edit.erase(std::to_string(i));
      return edit.done();
    }();
    EXPECT_EQ(held(), 1000);
    map = {};
    EXPECT_EQ(held(), 500);
  }
  EXPECT_EQ(held(), 0);
}

TEST(PersistentMap, ReadersOnOtherThreadsSeeWholeVersions) {
  auto edit = SharedMap().edit();
  for (int i = 0; i < 1000; ++i) edit.set(shared(i, i));
  const SharedMap first = edit.done();
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 3; ++reader) {
    readers.emplace_back([version = first] {
      for (int round = 0; round < 20; ++round) {
        const SharedMap mine = version;
        int sum = 0;
        mine.for_each([&](const Shared& one) { sum += one->value; });
        EXPECT_EQ(sum, 499'500);
      }
    });
  }
  for (int i = 0; i < 2000; ++i) {
    edit.set(shared(i, -1));
    if (i % 10 == 0) edit.done();
  }
  for (std::thread& reader : readers) reader.join();
}

}  // namespace
}  // namespace azora
