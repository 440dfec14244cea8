#include "azora/base/serial_map.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <string>

namespace azora {
namespace {

TEST(SerialMap, BehavesLikeAMapAndLeavesValuesInTheirPlace) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    SerialMap<std::string> map;
    std::map<std::uint64_t, std::pair<std::string, const std::string*>> model;
    for (int step = 0; step < 3'000; ++step) {
      const std::uint64_t serial = random() % 300 * (seed % 2 == 0 ? 1 : 17);
      if (random() % 3 != 0) {
        std::string& value = map[serial];
        const auto [known, fresh] = model.try_emplace(serial, "", &value);
        ASSERT_EQ(value, known->second.first);
        ASSERT_EQ(&value, known->second.second);
        value = known->second.first = "value " + std::to_string(step);
      } else {
        ASSERT_EQ(map.erase(serial), model.erase(serial) == 1);
      }
      ASSERT_EQ(map.size(), model.size());
      ASSERT_EQ(map.contains(serial), model.contains(serial));
    }
    std::map<std::uint64_t, std::string> seen;
    std::as_const(map).for_each([&](std::uint64_t serial, const std::string& value) { seen[serial] = value; });
    ASSERT_EQ(seen.size(), model.size());
    for (const auto& [serial, value] : model) {
      ASSERT_EQ(seen[serial], value.first);
      ASSERT_EQ(*map.find(serial), value.first);
    }
  }
}

TEST(SerialMap, DestroysEachValueOnce) {
  const auto value = std::make_shared<int>(1);
  {
    SerialMap<std::shared_ptr<int>> map;
    for (std::uint64_t serial = 1; serial <= 100; ++serial) map[serial] = value;
    for (std::uint64_t serial = 1; serial <= 64; ++serial) map.erase(serial);
    EXPECT_EQ(value.use_count(), 37);
    EXPECT_EQ(map.find(64), nullptr);
    EXPECT_FALSE(map.erase(64));
  }
  EXPECT_EQ(value.use_count(), 1);
}

}  // namespace
}  // namespace azora
