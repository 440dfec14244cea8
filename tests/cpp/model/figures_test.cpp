// Records of figures: whole moments for every reader, nothing made when nothing changed, longer life than the table.
#include "azora/model/figures.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "support/allocations.hpp"

namespace azora {
namespace {

std::shared_ptr<const std::string> text(const char* value) { return std::make_shared<const std::string>(value); }

TEST(Figures, BeginWithNothing) {
  FigurePages pages;
  const auto record = pages.make();
  const Figures figures = record->read();
  EXPECT_EQ(figures.last_check, WallTime{});
  EXPECT_EQ(figures.uptime_ms, 0);
  EXPECT_EQ(figures.response_ms, 0);
  EXPECT_EQ(figures.error_count, 0);
  EXPECT_EQ(figures.last_error(), "");
  EXPECT_EQ(figures.remarks, nullptr);
  EXPECT_EQ(pages.writes(), 0U);
}

TEST(Figures, AreWhatWasWrittenLast) {
  FigurePages pages;
  const auto record = pages.make();
  record->checked({5}, 7, 2, 11);
  record->checked({6}, 8, 3, std::nullopt);  // a failure: uptime stays that of the last pass
  Figures figures = record->read();
  EXPECT_EQ(figures.last_check, WallTime{6});
  EXPECT_EQ(figures.response_ms, 8);
  EXPECT_EQ(figures.error_count, 3);
  EXPECT_EQ(figures.uptime_ms, 11);
  record->alive({9}, 20);
  record->set_error_count(0);
  figures = record->read();
  EXPECT_EQ(figures.last_check, WallTime{9});
  EXPECT_EQ(figures.uptime_ms, 20);
  EXPECT_EQ(figures.error_count, 0);
  record->begin({30});
  figures = record->read();
  EXPECT_EQ(figures.last_check, WallTime{30});
  EXPECT_EQ(figures.uptime_ms, 0);
  EXPECT_EQ(figures.response_ms, 0);
}

TEST(Figures, KeepWhatABodyDoesNotSay) {
  FigurePages pages;
  const auto record = pages.make();
  record->set_body(text("0.5"), text("7"));
  record->set_body(nullptr, text("8"));
  record->set_last_error("refused");
  record->set_usage(12.5, 1024);
  const Figures figures = record->read();
  EXPECT_EQ(*figures.remarks->cpu, "0.5");
  EXPECT_EQ(*figures.remarks->memory, "8");
  EXPECT_EQ(figures.last_error(), "refused");
  EXPECT_EQ(figures.remarks->cpu_percent, 12.5);
  EXPECT_EQ(figures.remarks->rss_bytes, 1024);
  record->begin({1});
  EXPECT_EQ(record->read().remarks, nullptr);
}

TEST(Figures, HaveNoRemarksWhereNothingIsLeftToSay) {
  FigurePages pages;
  const auto record = pages.make();
  record->set_last_error("refused");
  const std::shared_ptr<const Remarks> held = record->read().remarks;
  record->set_last_error("");
  EXPECT_EQ(record->read().remarks, nullptr);
  EXPECT_EQ(held->last_error, "refused");  // what a reader holds stays as it was
}

TEST(Figures, CountTheirVersionsAndWrites) {
  FigurePages pages;
  const auto one = pages.make();
  const auto other = pages.make();
  const std::uint32_t before = one->version();
  one->checked({1}, 1, 0, 1);
  EXPECT_NE(one->version(), before);
  EXPECT_EQ(other->version(), before);
  EXPECT_EQ(pages.writes(), 1U);
  other->alive({1}, 1);
  EXPECT_EQ(pages.writes(), 2U);
}

TEST(Figures, CostNoMemoryAndUnchangedStringsNoWriteEither) {
  FigurePages pages;
  const auto record = pages.make();
  const auto cpu = text("0.5");
  const auto same = text("0.5");
  record->set_body(cpu, nullptr);
  record->set_last_error("refused");
  record->set_usage(1.0, 2);
  const std::uint64_t writes = pages.writes();
  EXPECT_EQ(allocations_of([&] {
              for (int i = 0; i < 1'000; ++i) {
                record->set_body(same, nullptr);
                record->set_body(nullptr, nullptr);
                record->set_last_error("refused");
                record->set_usage(1.0, 2);
                record->set_error_count(0);
              }
            }),
            0U);
  EXPECT_EQ(pages.writes(), writes);
  EXPECT_EQ(allocations_of([&] {
              for (int i = 0; i < 1'000; ++i) record->checked({i}, i, 0, i);
            }),
            0U);
  EXPECT_EQ(pages.writes(), writes + 1'000);
}

TEST(Figures, OutliveTheirPages) {
  std::shared_ptr<FigureRecord> record;
  {
    FigurePages pages;
    for (int i = 0; i < 200; ++i) record = pages.make();
    record->set_last_error("refused");
  }
  record->checked({3}, 4, 5, 6);
  EXPECT_EQ(record->read().response_ms, 4);
  EXPECT_EQ(record->read().last_error(), "refused");
}

TEST(Figures, HaveEachTheirOwnPlace) {
  FigurePages pages;
  std::vector<std::shared_ptr<FigureRecord>> records;
  for (int i = 0; i < 200; ++i) records.push_back(pages.make());
  for (int i = 0; i < 200; ++i) records[static_cast<std::size_t>(i)]->alive({i}, i);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(records[static_cast<std::size_t>(i)]->read().uptime_ms, i);
}

// Every reader sees moments that were, whole, and never an earlier one after a later one.
TEST(Figures, AreReadWholeWhileTheyAreWritten) {
  constexpr int kWrites = 20'000;
  FigurePages pages;
  const auto record = pages.make();
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      std::int64_t last = 0;
      while (!done.load()) {
        const Figures figures = record->read();
        const std::int64_t number = figures.last_check.ms;
        ASSERT_GE(number, last);
        ASSERT_EQ(figures.response_ms, number);
        ASSERT_EQ(figures.error_count, number);
        ASSERT_EQ(figures.uptime_ms, number);
        // Strings are written apart, right before the numbers.
        if (figures.remarks) {
          ASSERT_GE(std::stoll(figures.last_error()), number);
          ASSERT_LE(std::stoll(figures.last_error()), number + 1);
        }
        last = number;
      }
    });
  }
  for (int i = 1; i <= kWrites; ++i) {
    record->set_last_error(std::to_string(i));
    record->checked({i}, i, static_cast<std::uint32_t>(i), i);
  }
  done.store(true);
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(record->read().last_check, WallTime{kWrites});
}

}  // namespace
}  // namespace azora
