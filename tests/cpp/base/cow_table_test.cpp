#include "azora/base/cow_table.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <thread>
#include <vector>

namespace azora {
namespace {

using Table = CowTable<const int>;
using Model = std::map<std::uint64_t, int>;

std::vector<int> values(const Table& table) {
  std::vector<int> all;
  table.for_each([&](const Table::Value& value) { all.push_back(*value); });
  return all;
}

std::vector<int> values(const Model& model) {
  std::vector<int> all;
  for (const auto& [index, value] : model) all.push_back(value);
  return all;
}

TEST(CowTable, BehavesLikeASortedMapAndKeepsEveryOldVersion) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    Table table;
    Model model;
    std::vector<std::pair<Table, Model>> kept;
    for (int step = 0; step < 2000; ++step) {
      // Mostly near the start; sometimes far out, as numbers grow for ever.
      const std::uint64_t index =
          random() % 20 == 0 ? random() >> (random() % 64) : random() % 2000;
      if (random() % 3 != 0) {
        table = table.set(index, std::make_shared<const int>(step));
        model[index] = step;
      } else {
        table = table.erase(index);
        model.erase(index);
      }
      ASSERT_EQ(table.size(), model.size());
      ASSERT_EQ(table.get(index) != nullptr, model.contains(index));
      if (step % 50 == 0) kept.emplace_back(table, model);
    }
    for (const auto& [version, expected] : kept) {
      ASSERT_EQ(values(version), values(expected));
      for (const auto& [index, value] : expected) ASSERT_EQ(*version.get(index), value);
    }
  }
}

TEST(CowTable, ReadsHolesAndWhatLiesBeyondTheEndAsNull) {
  const Table table = Table().set(40, std::make_shared<const int>(1));
  EXPECT_EQ(table.get(0), nullptr);
  EXPECT_EQ(table.get(41), nullptr);
  EXPECT_EQ(table.get(~std::uint64_t{0}), nullptr);
  EXPECT_EQ(Table().get(0), nullptr);
}

TEST(CowTable, TakesTheLargestNumber) {
  const std::uint64_t last = ~std::uint64_t{0};
  const Table table =
      Table().set(0, std::make_shared<const int>(1)).set(last, std::make_shared<const int>(2));
  EXPECT_EQ(*table.get(last), 2);
  EXPECT_EQ(values(table), (std::vector<int>{1, 2}));
  EXPECT_TRUE(table.erase(last).erase(0).empty());
}

TEST(CowTable, AnEditLeavesTheVersionItBeganWithAlone) {
  Table first = Table().set(3, std::make_shared<const int>(3));
  auto edit = first.edit();
  for (int i = 0; i < 100; ++i)
    edit.set(static_cast<std::uint64_t>(i), std::make_shared<const int>(-i));
  const Table second = edit.done();
  edit.erase(3);
  const Table third = edit.done();
  EXPECT_EQ(*first.get(3), 3);
  EXPECT_EQ(first.size(), 1U);
  EXPECT_EQ(*second.get(3), -3);
  EXPECT_EQ(third.get(3), nullptr);
  EXPECT_EQ(third.size(), 99U);
}

TEST(CowTable, SharesEntriesBetweenVersionsAndGivesThemBack) {
  const auto value = std::make_shared<const int>(1);
  {
    Table table;
    for (std::uint64_t i = 0; i < 10'000; ++i) table = table.set(i, value);
    const Table other = table.erase(5);
    // The chunk of 32 that changed is the only one there twice.
    EXPECT_EQ(value.use_count(), 1 + 10'000 + 31);
  }
  EXPECT_EQ(value.use_count(), 1);
}

TEST(CowTable, ReadersOnOtherThreadsSeeWholeVersions) {
  auto edit = Table().edit();
  for (int i = 0; i < 1000; ++i)
    edit.set(static_cast<std::uint64_t>(i), std::make_shared<const int>(i));
  const Table first = edit.done();
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 3; ++reader) {
    readers.emplace_back([version = first] {
      for (int round = 0; round < 20; ++round) {
        const Table mine = version;
        int sum = 0;
        mine.for_each([&](const Table::Value& value) { sum += *value; });
        EXPECT_EQ(sum, 499'500);
      }
    });
  }
  for (int i = 0; i < 2000; ++i) {
    edit.set(static_cast<std::uint64_t>(i), std::make_shared<const int>(-1));
    if (i % 10 == 0) edit.done();
  }
  for (std::thread& reader : readers) reader.join();
}

}  // namespace
}  // namespace azora
