// What every store promises (store.hpp), of each of them.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "azora/store/memory_store.hpp"
#include "azora/store/store.hpp"
#include "store/store_rig.hpp"
#include "support/fake_loop.hpp"
#include "support/fake_store.hpp"

namespace azora::store {
namespace {

// A store, and how its answers and a new run of its program are waited for.
struct Subject {
  virtual ~Subject() = default;
  virtual Store& store() = 0;
  virtual Answers& answers() = 0;
  virtual void settle(Ticket through) = 0;
  virtual void restart() = 0;  // rows that are stored outlive it; answers begin anew
};

struct MemorySubject : Subject {
  MemorySubject() { store_.set_listener(&answers_); }
  Store& store() override { return store_; }
  Answers& answers() override { return answers_; }
  void settle(Ticket) override {}
  void restart() override {}
  MemoryStore store_;
  Answers answers_;
};

struct FakeSubject : Subject {
  FakeSubject() {
    store_.set_mode(FakeStore::Mode::slow);
    store_.set_listener(&answers_);
  }
  Store& store() override { return store_; }
  Answers& answers() override { return answers_; }
  void settle(Ticket through) override {
    while (answers_.answered < through && loop_.run_next()) {
    }
  }
  void restart() override {}
  FakeLoop loop_;
  FakeStore store_{loop_};
  Answers answers_;
};

struct SqliteSubject : Subject {
  SqliteSubject() { restart(); }
  Store& store() override { return rig_.store(); }
  Answers& answers() override { return rig_.answers(); }
  void settle(Ticket through) override { rig_.wait_for(through); }
  void restart() override { EXPECT_EQ(rig_.open(), ""); }
  TempFolder folder_;
  SqliteRig rig_{folder_ / "state"};
};

template <typename Kind>
class StoreContract : public ::testing::Test {
 protected:
  Store& store() { return subject_.store(); }
  Answers& answers() { return subject_.answers(); }
  std::vector<Row> rows() {
    const Result<std::vector<Row>> loaded = store().load();
    EXPECT_TRUE(loaded.ok());
    return loaded ? loaded.value() : std::vector<Row>();
  }

  Kind subject_;
};
using Kinds = ::testing::Types<MemorySubject, FakeSubject, SqliteSubject>;
TYPED_TEST_SUITE(StoreContract, Kinds);

TYPED_TEST(StoreContract, IsEmptyAtFirst) {
  EXPECT_TRUE(this->rows().empty());
  EXPECT_TRUE(this->store().keeps_rows());
}

TYPED_TEST(StoreContract, CountsTicketsFromOneAndAnswersInTheirOrder) {
  for (Ticket ticket = 1; ticket <= 50; ++ticket) {
    Batch batch{.rows = {{{Table::services, std::to_string(ticket % 7)}, std::to_string(ticket)}}, .removed = {}};
    EXPECT_EQ(this->store().commit(std::move(batch)), ticket);
  }
  this->subject_.settle(50);
  EXPECT_EQ(this->answers().committed.size(), 50U);
  EXPECT_TRUE(this->answers().failed.empty());
}

TYPED_TEST(StoreContract, AnswersABatchOfNothing) {
  EXPECT_EQ(this->store().commit({}), 1U);
  this->subject_.settle(1);
  EXPECT_EQ(this->answers().committed, (std::vector<Ticket>{1}));
}

TYPED_TEST(StoreContract, LoadsWhatWasCommittedLastInOrderOfKeys) {
  const Key heads{Table::heads, ""};
  const Key big{Table::entries, "big"};
  const Key empty{Table::entries, "empty"};
  const Key gone{Table::services, "gone"};
  const Key ten{Table::services, "10"};
  const Key two{Table::services, "2"};
  const std::string large(200'000, 'x');
  this->store().commit({.rows = {{two, "b"}, {gone, "c"}, {ten, "a"}, {big, "small"}}, .removed = {}});
  this->store().commit({.rows = {{heads, "h"}, {empty, ""}, {big, large}}, .removed = {gone, {Table::entries, "never there"}}});
  this->subject_.settle(2);
  this->subject_.restart();
  EXPECT_EQ(this->rows(), (std::vector<Row>{{heads, "h"}, {big, large}, {empty, ""}, {ten, "a"}, {two, "b"}}));
}

TYPED_TEST(StoreContract, KeepsNamesAndRowsOfAnyBytes) {
  const std::string odd("\0\xff'\n\xc3", 5);
  const Key named{Table::entries, odd};
  const Key prefix{Table::entries, odd.substr(0, 1)};
  this->store().commit({.rows = {{named, odd}, {prefix, "p"}}, .removed = {}});
  this->subject_.settle(1);
  this->subject_.restart();
  EXPECT_EQ(this->rows(), (std::vector<Row>{{prefix, "p"}, {named, odd}}));
}

TYPED_TEST(StoreContract, AgreesWithAMapAfterManyRandomBatches) {
  std::mt19937_64 random(20);
  std::map<Key, std::string> expected;
  Ticket last = 0;
  for (int run = 0; run < 3; ++run) {
    for (int i = 0; i < 100; ++i) {
      std::map<Key, bool> keys;
      for (std::uint64_t k = random() % 8; k > 0; --k) {
        keys[{static_cast<Table>(random() % 3), std::to_string(random() % 40)}] = random() % 3 == 0;
      }
      Batch batch;
      for (const auto& [key, removed] : keys) {
        if (removed) batch.removed.push_back(key);
        else batch.rows.push_back({key, std::string(random() % 3'000, static_cast<char>(random()))});
      }
      apply_batch(expected, batch);
      last = this->store().commit(std::move(batch));
    }
    this->subject_.settle(last);
    this->subject_.restart();
    std::vector<Row> rows;
    for (const auto& [key, bytes] : expected) rows.push_back({key, bytes});
    ASSERT_EQ(this->rows(), rows);
  }
}

}  // namespace
}  // namespace azora::store
