#include "azora/store/memory_store.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace azora::store {
namespace {

struct Answers : StoreListener {
  void on_committed(Ticket ticket) override { committed.push_back(ticket); }
  void on_failed(Ticket, const Failure&) override { ++failed; }
  std::vector<Ticket> committed;
  int failed = 0;
};

TEST(MemoryStore, CommitsWithinTheCallInOrder) {
  MemoryStore store;
  Answers answers;
  store.set_listener(&answers);
  EXPECT_EQ(store.commit({}), 1U);
  EXPECT_EQ(answers.committed, (std::vector<Ticket>{1}));
  EXPECT_EQ(store.commit({}), 2U);
  EXPECT_EQ(answers.committed, (std::vector<Ticket>{1, 2}));
  EXPECT_EQ(answers.failed, 0);
}

TEST(MemoryStore, LoadsWhatWasCommittedLastUnderEachKey) {
  MemoryStore store;
  const Key first{Table::entries, "first"};
  const Key second{Table::services, "7"};
  store.commit({.rows = {{first, "a"}, {second, "b"}}, .removed = {}});
  store.commit({.rows = {{first, "c"}}, .removed = {second, {Table::entries, "never there"}}});
  const Result<std::vector<Row>> rows = store.load();
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(rows.value(), (std::vector<Row>{{first, "c"}}));
}

TEST(MemoryStore, KeepsNothingWhenToldSo) {
  MemoryStore store(MemoryStore::Keep::nothing);
  EXPECT_FALSE(store.keeps_rows());
  Answers answers;
  store.set_listener(&answers);
  store.commit({.rows = {{{Table::entries, "first"}, "a"}}, .removed = {}});
  EXPECT_EQ(answers.committed.size(), 1U);
  EXPECT_TRUE(store.load().value().empty());
}

}  // namespace
}  // namespace azora::store
