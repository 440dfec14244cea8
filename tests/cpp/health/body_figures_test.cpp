#include "azora/health/body_figures.hpp"

#include <gtest/gtest.h>

namespace azora::health {
namespace {

std::string cpu(const std::string& body) {
  const auto figure = read_figures(body).cpu;
  return figure ? *figure : "-";
}

TEST(BodyFigures, CopiesCpuAndMemoryAsJson) {
  const BodyFigures figures = read_figures(R"({"status":"ok","cpu":12.5,"memory":{"rss":1048576,"unit":"B"}})");
  ASSERT_TRUE(figures.cpu && figures.memory);
  EXPECT_EQ(*figures.cpu, "12.5");
  EXPECT_EQ(*figures.memory, R"({"rss":1048576,"unit":"B"})");
}

TEST(BodyFigures, TakesTheOutermostKeysOnly) {
  EXPECT_EQ(cpu(R"({"system":{"cpu":1}})"), "-");
  EXPECT_EQ(cpu(R"([{"cpu":1}])"), "-");
  EXPECT_EQ(cpu(R"({"x":[{"cpu":2}],"cpu":[1,2]})"), "[1,2]");
  EXPECT_EQ(cpu(R"({"cpu":null})"), "null");
}

TEST(BodyFigures, GivesNothingForWhatIsNotJson) {
  for (const char* body : {"", "{", R"({"cpu":1)", R"({"cpu":1}x)", R"({"cpu":1,})", R"({'cpu':1,"cpu"})",
                           R"({"cpu":1e999})", R"({"cpu":NaN})", R"("cpu")"}) {
    EXPECT_EQ(cpu(body), "-") << body;
  }
}

TEST(BodyFigures, RefusesDeepBodiesAndBoundsWhatItKeeps) {
  const auto nested = [](int depth) {
    return R"({"cpu":)" + std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']') + "}";
  };
  EXPECT_NE(cpu(nested(31)), "-");
  EXPECT_EQ(cpu(nested(32)), "-");
  EXPECT_EQ(cpu(nested(30'000)), "-");
  EXPECT_EQ(cpu(R"({"cpu":1,"deep":)" + std::string(60'000, '[')), "-");
  EXPECT_EQ(cpu(R"({"cpu":")" + std::string(5000, 'a') + R"("})"), "-");
}

TEST(BodyFigures, ReplacesBadUtf8) {
  const std::string figure = cpu("{\"cpu\":\"\xff\"}");
  EXPECT_EQ(figure.find('\xff'), std::string::npos);
}

}  // namespace
}  // namespace azora::health
