#include "azora/model/units.hpp"

#include <gtest/gtest.h>

namespace azora {
namespace {

TEST(Duration, IsReadWithItsUnit) {
  EXPECT_EQ(parse_duration_ms("500ms"), 500);
  EXPECT_EQ(parse_duration_ms("30s"), 30'000);
  EXPECT_EQ(parse_duration_ms("1.5s"), 1500);
  EXPECT_EQ(parse_duration_ms("5m"), 300'000);
  EXPECT_EQ(parse_duration_ms("5 min"), 300'000);
  EXPECT_EQ(parse_duration_ms("1h"), 3'600'000);
  for (const char* text : {"", "30", "s", "-1s", "1.5ms", "1e3s", "1..5s", ".5s", "5.s", "1d",
                           "1 week", " 1s", "1s ", "99999999999999999999h"}) {
    EXPECT_EQ(parse_duration_ms(text), std::nullopt) << text;
  }
}

TEST(Bytes, AreReadWithTheirUnit) {
  EXPECT_EQ(parse_bytes("512"), 512);
  EXPECT_EQ(parse_bytes("64KiB"), 65'536);
  EXPECT_EQ(parse_bytes("100MiB"), 104'857'600);
  EXPECT_EQ(parse_bytes("1.5GiB"), 1'610'612'736);
  EXPECT_EQ(parse_bytes("10MB"), 10'000'000);
  for (const char* text : {"", "MiB", "-1", "1.5", "10M", "10mib"}) {
    EXPECT_EQ(parse_bytes(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace azora
