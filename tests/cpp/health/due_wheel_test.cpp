#include "azora/health/due_wheel.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace azora::health {
namespace {

constexpr SteadyTime kStart{std::chrono::seconds(1'000'000)};

std::vector<std::uint32_t> advance(DueWheel& wheel, SteadyTime now) {
  std::vector<std::uint32_t> out;
  wheel.advance(now, out);
  std::sort(out.begin(), out.end());
  return out;
}

TEST(DueWheel, HandsOutToTheNanosecond) {
  DueWheel wheel(Millis(10));
  wheel.set(3, kStart + Nanos(1), kStart);
  EXPECT_EQ(wheel.next(), kStart + Nanos(1));
  EXPECT_TRUE(advance(wheel, kStart).empty());
  EXPECT_EQ(advance(wheel, kStart + Nanos(1)), std::vector<std::uint32_t>{3});
  EXPECT_EQ(wheel.next(), std::nullopt);
  EXPECT_FALSE(wheel.has(3));
}

TEST(DueWheel, LooksAtNothingBeforeTheFirstTime) {
  DueWheel wheel(Millis(10));
  for (const auto span : {Nanos(Millis(10)), Nanos(std::chrono::seconds(3)), Nanos(std::chrono::minutes(10)),
                          Nanos(std::chrono::hours(24 * 40)), Nanos(std::chrono::hours(24 * 900))}) {
    wheel.set(1, kStart + span, kStart);
    EXPECT_EQ(wheel.next(), kStart + span);
    EXPECT_TRUE(advance(wheel, kStart + span - Nanos(1)).empty());
    EXPECT_EQ(wheel.next(), kStart + span);
    EXPECT_EQ(advance(wheel, kStart + span).size(), 1u);
  }
}

TEST(DueWheel, AgreesWithAnOrderedMapUnderRandomUse) {
  for (unsigned seed = 1; seed <= 8; ++seed) {
    std::mt19937_64 random(seed);
    DueWheel wheel(Millis(10));
    std::map<std::uint32_t, SteadyTime> model;
    SteadyTime now = kStart + Nanos(random() % 10'000'000'000);
    const Nanos reach[] = {Millis(50), std::chrono::seconds(5), std::chrono::minutes(30), std::chrono::hours(100)};
    for (int step = 0; step < 20'000; ++step) {
      const auto index = static_cast<std::uint32_t>(random() % 120);
      switch (random() % 4) {
        case 0:
        case 1: {
          Nanos ahead(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(reach[random() % 4].count())));
          if (random() % 3 == 0) ahead -= ahead % Millis(10);
          wheel.set(index, now + ahead, now);
          model[index] = now + ahead;
          break;
        }
        case 2:
          wheel.drop(index);
          model.erase(index);
          break;
        default: {
          now += Nanos(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(reach[random() % 3].count())));
          std::vector<std::uint32_t> due;
          for (const auto& [name, at] : model) {
            if (at <= now) due.push_back(name);
          }
          ASSERT_EQ(advance(wheel, now), due) << "seed " << seed << " step " << step;
          for (const std::uint32_t name : due) model.erase(name);
        }
      }
      ASSERT_EQ(wheel.size(), model.size());
      std::optional<SteadyTime> first;
      for (const auto& row : model) {
        if (!first || row.second < *first) first = row.second;
      }
      ASSERT_EQ(wheel.next(), first) << "seed " << seed << " step " << step;
    }
  }
}

}  // namespace
}  // namespace azora::health
