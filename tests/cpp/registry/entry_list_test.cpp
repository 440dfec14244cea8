#include "azora/registry/entry_list.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "azora/registry/registry.hpp"

namespace azora::registry {
namespace {

std::vector<std::uint64_t> orders(const EntryList& list) {
  std::vector<std::uint64_t> all;
  list.for_each([&](const Entry& entry) { all.push_back(entry.order); });
  return all;
}

TEST(EntryList, KeepsTheOrderAndTheHoleOfAnEntryThatComesBack) {
  std::map<std::uint64_t, Entry> entries;
  EntryList list;
  for (std::uint64_t order : {1U, 5U, 9U}) list.add(order, &(entries[order] = Entry{nullptr, {}, order, 1}));
  EXPECT_TRUE(list.remove(5));
  EXPECT_FALSE(list.remove(5));
  EXPECT_FALSE(list.remove(7));
  EXPECT_EQ(orders(list), (std::vector<std::uint64_t>{1, 9}));
  list.add(5, &entries[5]);
  EXPECT_EQ(orders(list), (std::vector<std::uint64_t>{1, 5, 9}));
  entries[3] = Entry{nullptr, {}, 3, 1};
  list.add(3, &entries[3]);  // there is no hole for it
  EXPECT_EQ(orders(list), (std::vector<std::uint64_t>{1, 3, 5, 9}));
}

TEST(EntryList, BehavesLikeAMapUnderRandomChanges) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    std::map<std::uint64_t, Entry> all;
    std::map<std::uint64_t, const Entry*> model;
    EntryList list;
    for (std::uint64_t step = 0; step < 2'000; ++step) {
      const std::uint64_t order = random() % 4 == 0 ? step : random() % (step + 1);
      if (random() % 2 == 0 && !model.contains(order)) {
        Entry& entry = all[order] = Entry{nullptr, {}, order, 1};
        model[order] = &entry;
        list.add(order, &entry);
      } else {
        ASSERT_EQ(list.remove(order), model.erase(order) == 1);
      }
      ASSERT_EQ(list.size(), model.size());
    }
    std::vector<std::uint64_t> expected;
    for (const auto& [order, entry] : model) expected.push_back(order);
    EXPECT_EQ(orders(list), expected);
  }
}

}  // namespace
}  // namespace azora::registry
