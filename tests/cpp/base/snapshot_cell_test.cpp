#include "azora/base/snapshot_cell.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

namespace azora {
namespace {

using Cell = SnapshotCell<std::vector<int>>;

std::shared_ptr<const std::vector<int>> version_of(int value) {
  return std::make_shared<const std::vector<int>>(100, value);
}

TEST(SnapshotCell, ReadersFindTheNewestVersion) {
  Cell cell(version_of(1));
  EXPECT_EQ(cell.read()->front(), 1);
  cell.publish(version_of(2));
  EXPECT_EQ(cell.read()->front(), 2);
  std::thread([&] { EXPECT_EQ(cell.read()->front(), 2); }).join();
  EXPECT_EQ(cell.version(), 2U);
}

TEST(SnapshotCell, MayBeEmpty) {
  Cell cell;
  EXPECT_EQ(cell.read(), nullptr);
  cell.publish(version_of(1));
  EXPECT_NE(cell.read(), nullptr);
  cell.publish(nullptr);
  EXPECT_EQ(cell.read(), nullptr);
}

TEST(SnapshotCell, AnOldVersionGoesWithTheNextReadAndALoadedOneStays) {
  Cell cell(version_of(1));
  const std::weak_ptr<const std::vector<int>> first = cell.read();
  cell.publish(version_of(2));
  EXPECT_FALSE(first.expired()) << "this thread has not looked again";
  cell.read();
  EXPECT_TRUE(first.expired());
  const Cell::Value kept = cell.take();
  cell.publish(version_of(3));
  cell.read();
  EXPECT_EQ(kept->front(), 2);
}

TEST(SnapshotCell, AThreadThatTookAVersionAndIdlesPinsNone) {
  Cell cell(version_of(1));
  std::weak_ptr<const std::vector<int>> seen;
  std::promise<void> took;
  std::promise<void> end;
  std::thread reader([&] {
    seen = cell.take();
    took.set_value();
    end.get_future().wait();
  });
  took.get_future().wait();
  EXPECT_FALSE(seen.expired());
  cell.publish(version_of(2));
  EXPECT_TRUE(seen.expired());
  end.set_value();
  reader.join();
}

TEST(Published, AReaderIsToldWhetherItsCopyWasReplaced) {
  Published<std::vector<int>> published(version_of(1));
  Seen<std::vector<int>> seen;
  EXPECT_TRUE(published.refresh(seen));
  EXPECT_FALSE(published.refresh(seen));
  published.publish(version_of(2));
  EXPECT_TRUE(published.refresh(seen));
  EXPECT_EQ(seen.value->front(), 2);
}

TEST(SnapshotCell, VersionsAreWholeAndNeverGoBack) {
  Cell cell(version_of(0));
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::atomic<int> reads{0};
  std::vector<std::thread> readers;
  for (int t = 0; t < 4; ++t) {
    readers.emplace_back([&] {
      int last = 0;
      while (!stop) {
        const std::vector<int>& seen = *cell.read();
        for (const int value : seen) wrong += value != seen.front();
        wrong += seen.front() < last;
        last = seen.front();
        ++reads;
      }
    });
  }
  for (int value = 1; value <= 2000; ++value) {
    cell.publish(version_of(value));
    if (value % 100 == 0) {
      const int goal = reads + 20;
      while (reads < goal) std::this_thread::yield();
    }
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace azora
