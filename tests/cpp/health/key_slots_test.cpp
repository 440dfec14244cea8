#include "azora/health/key_slots.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace azora::health {
namespace {

TEST(KeySlots, GivesEachKeyANumberOfItsOwn) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    KeySlots slots;
    std::map<std::uint64_t, KeySlots::Number> model;
    std::size_t most = 0;
    for (int step = 0; step < 5'000; ++step) {
      const std::uint64_t key = random() % 500 * (seed % 2 == 0 ? 1 : 0x9e3779b97f4a7c15ULL);
      if (random() % 3 != 0) {
        const KeySlots::Number number = slots.number_of(key);
        const auto [known, fresh] = model.try_emplace(key, number);
        ASSERT_EQ(number, known->second);
        most = std::max(most, model.size());
      } else if (const auto known = model.find(key); known != model.end()) {
        slots.remove(known->second);
        model.erase(known);
      }
      ASSERT_EQ(slots.bound(), most);  // no number is left unused
    }
    std::map<KeySlots::Number, std::uint64_t> by_number;
    for (const auto& [key, number] : model) {
      ASSERT_TRUE(by_number.try_emplace(number, key).second);
      ASSERT_EQ(slots.key(number), key);
      ASSERT_EQ(slots.number_of(key), number);
    }
  }
}

}  // namespace
}  // namespace azora::health
