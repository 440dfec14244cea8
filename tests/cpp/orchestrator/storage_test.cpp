// The facade on its real threads with a store that hangs: no caller waits for ever.
#include <gtest/gtest.h>

#include <future>
#include <latch>
#include <thread>

#include "azora/balancer/balancer.hpp"
#include "azora/base/mutex.hpp"
#include "azora/events/log.hpp"
#include "azora/model/spec_parser.hpp"
#include "azora/orchestrator/log_stream.hpp"
#include "azora/orchestrator/orchestrator.hpp"
#include "azora/store/memory_store.hpp"
#include "support/built.hpp"

namespace azora::orchestrator {
namespace {

// What a test knows of a store that the orchestrator owns.
class Seen {
 public:
  void commit() {
    MutexLock lock(mutex_);
    ++commits_;
    more_.notify_all();
  }
  // False: not so many came for a long time.
  bool wait_for_commits(int count) {
    MutexLock lock(mutex_);
    return more_.wait_until(mutex_, std::chrono::steady_clock::now() + std::chrono::seconds(20),
                            [this, count]() AZORA_NO_THREAD_SAFETY_ANALYSIS { return commits_ >= count; });
  }

 private:
  Mutex mutex_;
  CondVar more_;
  int commits_ AZORA_GUARDED_BY(mutex_) = 0;
};

class HungStore : public store::Store {
 public:
  explicit HungStore(Seen& seen) : seen_(seen) {}
  void set_listener(store::StoreListener*) override {}
  Result<std::vector<store::Row>> load() override { return std::vector<store::Row>(); }
  store::Ticket commit(store::Batch) override {
    seen_.commit();
    return ++last_;
  }
  bool keeps_rows() const override { return true; }

 private:
  Seen& seen_;
  store::Ticket last_ = 0;
};

// Keeps the thread that commits, which is the control thread, from the second commit on until it is let go.
class HeldStore : public store::Store {
 public:
  HeldStore(Seen& seen, std::latch& let_go) : seen_(seen), let_go_(let_go) {}
  void set_listener(store::StoreListener* listener) override { listener_ = listener; }
  Result<std::vector<store::Row>> load() override { return std::vector<store::Row>(); }
  store::Ticket commit(store::Batch) override {
    seen_.commit();
    if (++last_ > 1) let_go_.wait();
    listener_->on_committed(last_);
    return last_;
  }
  bool keeps_rows() const override { return true; }

 private:
  Seen& seen_;
  std::latch& let_go_;
  store::StoreListener* listener_ = nullptr;
  store::Ticket last_ = 0;
};

std::vector<SpecPtr> one_service() {
  Result<std::vector<SpecPtr>> specs =
      parse_service(R"({"id":"a","type":"core","endpoint":"http://127.0.0.1:7001"})", {.origin = Origin::python});
  EXPECT_TRUE(specs.ok());
  return std::move(specs).value();
}

class StorageTest : public testing::Test {
 protected:
  Options with(std::function<std::unique_ptr<store::Store>(Loop&)> make_store) {
    Options options;
    options.keeper_path = kKeeperProgram;
    options.make_store = std::move(make_store);
    return options;
  }
  Seen seen;
};

TEST_F(StorageTest, ACallThatWaitsForAHungStoreIsAnsweredByTheEnd) {
  Orchestrator orchestrator(with([this](Loop&) { return std::make_unique<HungStore>(seen); }));
  std::optional<Result<std::uint64_t>> answer;
  std::thread caller([&] { answer = orchestrator.register_many(one_service(), "python"); });
  EXPECT_TRUE(seen.wait_for_commits(1));
  orchestrator.close(Millis(100));
  caller.join();
  ASSERT_TRUE(answer.has_value());
  ASSERT_FALSE(answer->ok());
  EXPECT_EQ(answer->error().code, ErrorCode::closed);
}

TEST_F(StorageTest, ReadsAndTheStopDoNotWaitForAHungStore) {
  Orchestrator orchestrator(with([this](Loop&) { return std::make_unique<HungStore>(seen); }));
  ASSERT_TRUE(orchestrator.start().ok());
  std::thread caller([&] { (void)orchestrator.register_many(one_service(), "python").ok(); });
  EXPECT_TRUE(seen.wait_for_commits(2));  // the first one is of the start
  EXPECT_TRUE(orchestrator.find("a"));  // published before it is stored
  const Result<std::vector<std::string>> left = orchestrator.stop(Millis(50));
  ASSERT_TRUE(left.ok());
  EXPECT_TRUE(left.value().empty());
  orchestrator.close(Millis(50));
  caller.join();
}

TEST_F(StorageTest, EveryReadAnswersWhileTheControlThreadIsHeldUp) {
  std::latch let_go(1);
  Orchestrator orchestrator(with([&](Loop&) { return std::make_unique<HeldStore>(seen, let_go); }));
  ASSERT_TRUE(orchestrator.register_many(one_service(), "python").ok());
  std::thread held([&] { EXPECT_TRUE(orchestrator.unregister("a", "python").ok()); });
  ASSERT_TRUE(seen.wait_for_commits(2));
  std::promise<void> all_answered;
  std::future<void> answered = all_answered.get_future();
  // Of a service that is there no more by what is published, and of all: each reads the board and nothing else.
  std::thread reader([&] {
    EXPECT_FALSE(orchestrator.find("a"));
    EXPECT_TRUE(orchestrator.list().empty());
    EXPECT_TRUE(orchestrator.by_type("core").empty());
    EXPECT_EQ(orchestrator.totals().total, 0U);
    EXPECT_FALSE(orchestrator.status_json(true)->empty());
    EXPECT_FALSE(orchestrator.services_json(std::nullopt)->empty());
    EXPECT_FALSE(orchestrator.services_json("core")->empty());
    EXPECT_FALSE(orchestrator.why_json("a").ok());
    EXPECT_FALSE(orchestrator.dependencies_json("a").ok());
    EXPECT_FALSE(orchestrator.graph_json()->empty());
    EXPECT_FALSE(orchestrator.metrics_text().empty());
    EXPECT_FALSE(orchestrator.logs("a", {.lines = 10}).ok());
    EXPECT_FALSE(orchestrator.follow_logs("a", {.lines = 10, .follow = true}).ok());
    EXPECT_FALSE(orchestrator.balancer().pick("core").ok());
    EXPECT_GE(orchestrator.events().cursor(0, {})->drain(10).size(), 1U);
    EXPECT_GE(orchestrator.seq(), 1U);
    EXPECT_EQ(orchestrator.trouble(), "");
    all_answered.set_value();
  });
  EXPECT_EQ(answered.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  let_go.count_down();
  reader.join();
  held.join();
}

TEST_F(StorageTest, AChangeIsStoredWhenItIsAnswered) {
  store::MemoryStore* store = nullptr;
  Orchestrator orchestrator(with([&store](Loop&) {
    auto made = std::make_unique<store::MemoryStore>();
    store = made.get();
    return made;
  }));
  ASSERT_TRUE(orchestrator.register_many(one_service(), "python").ok());
  orchestrator.close(Millis(50));
  const std::vector<store::Row> rows = store->load().value();
  EXPECT_EQ(std::count_if(rows.begin(), rows.end(), [](const store::Row& row) { return row.key.table == store::Table::entries; }), 1);
}

}  // namespace
}  // namespace azora::orchestrator
