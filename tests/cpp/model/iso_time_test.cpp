#include "azora/model/iso_time.hpp"

#include <gtest/gtest.h>

#include <random>

namespace azora {
namespace {

TEST(IsoTime, IsWrittenAsTheSeedDoes) {
  EXPECT_EQ(iso_time(WallTime{0}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(iso_time(WallTime{1'709'210'096'789}), "2024-02-29T12:34:56.789Z");
  EXPECT_EQ(iso_time(WallTime{-1}), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(iso_time(WallTime{253'402'300'799'999}), "9999-12-31T23:59:59.999Z");
}

TEST(IsoTime, ReadsBackWhatItWrote) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 1000; ++i) {
    const WallTime time{static_cast<std::int64_t>(random() % 253'402'300'800'000)};
    EXPECT_EQ(wall_time_from_iso(iso_time(time)), time);
  }
}

TEST(IsoTime, ReadsNothingElse) {
  for (const char* text :
       {"", "2024-02-29", "2023-02-29T00:00:00.000Z", "2024-13-01T00:00:00.000Z",
        "2024-01-01T24:00:00.000Z", "2024-01-01 00:00:00.000Z", "2024-01-01T00:00:00.000+"}) {
    EXPECT_EQ(wall_time_from_iso(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace azora
