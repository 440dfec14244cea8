#include "azora/health/http_lines.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace azora::health {
namespace {

using Taken = HttpLines::Taken;

// The whole lines of `text`, which comes in pieces of `step`.
std::vector<std::string> lines_of(const std::string& text, std::size_t step) {
  HttpLines lines;
  lines.begin();
  std::vector<std::string> all;
  for (std::size_t at = 0; at < text.size(); at += step) {
    std::string_view piece = std::string_view(text).substr(at, step);
    while (!piece.empty()) {
      std::string_view line;
      if (lines.take(piece, line) == Taken::line) all.emplace_back(line);
    }
  }
  return all;
}

TEST(HttpLines, AreTheSameHoweverTheStreamIsCut) {
  const std::string text = "one\r\n\r\nthree\nfour\r\nunfinished";
  const std::vector<std::string> expected{"one\r", "\r", "three", "four\r"};
  for (const std::size_t step : {1u, 2u, 3u, 5u, 7u, 100u}) EXPECT_EQ(lines_of(text, step), expected) << step;
}

TEST(HttpLines, ALineThatCameInOnePieceLiesWhereItCame) {
  HttpLines lines;
  lines.begin();
  const std::string text = "one\ntwo\n";
  std::string_view bytes = text;
  std::string_view line;
  ASSERT_EQ(lines.take(bytes, line), Taken::line);
  EXPECT_EQ(line.data(), text.data());
  EXPECT_EQ(bytes, "two\n");
}

TEST(HttpLines, ShowWhatThereIsOfAnUnfinishedOne) {
  HttpLines lines;
  lines.begin();
  std::string_view bytes = "HT";
  std::string_view line;
  EXPECT_EQ(lines.take(bytes, line), Taken::part);
  EXPECT_TRUE(bytes.empty());
  bytes = "TP";
  EXPECT_EQ(lines.take(bytes, line), Taken::part);
  EXPECT_EQ(lines.unfinished(), "HTTP");
  lines.begin();
  EXPECT_EQ(lines.unfinished(), "");
}

TEST(HttpLines, AreBoundedTogether) {
  HttpLines lines;
  lines.begin();
  const std::string half(HttpLines::kMaxBytes / 2 - 1, 'x');
  std::string_view line;
  for (int i = 0; i < 2; ++i) {
    const std::string text = half + "\n";
    std::string_view bytes = text;
    ASSERT_EQ(lines.take(bytes, line), Taken::line);
    EXPECT_EQ(line, half);
  }
  std::string_view one_more = "\n";
  EXPECT_EQ(lines.take(one_more, line), Taken::too_long);
  lines.begin();
  EXPECT_EQ(lines.take(one_more, line), Taken::line);
}

}  // namespace
}  // namespace azora::health
