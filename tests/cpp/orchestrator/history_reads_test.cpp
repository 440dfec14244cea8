// Past events of the store and of the log are one sequence: each once, in order, over pages of any size.
#include "azora/orchestrator/reads/history.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "store/store_rig.hpp"

namespace azora::orchestrator {
namespace {

constexpr std::uint32_t kCheck = std::uint32_t{1} << static_cast<unsigned>(EventType::health_check);

class HistoryReads : public testing::Test {
 protected:
  HistoryReads() : log_(std::make_shared<events::EventLog>()) {
    store::HistoryOptions options;
    options.now = [] { return Now{SteadyTime(Nanos(1)), {2'000}}; };
    history_ = std::make_unique<store::History>(folder_.path().string(), std::move(options));
    log_->add_name(1, std::make_shared<const std::string>("a"));
  }
  // One turn; `stored`: az-store has written it.
  void turn(std::uint64_t states, std::uint64_t checks, bool stored) {
    for (std::uint64_t i = 0; i < std::max(states, checks); ++i) {
      if (i < states) {
        Event event;
        event.type = EventType::service_started;
        event.time = {1'000 + static_cast<std::int64_t>(log_->head())};
        event.service_id = std::make_shared<const std::string>("a");
        states_.push_back(log_->append(std::move(event)));
      }
      if (i < checks) checks_.push_back(log_->append_check({.serial = 1, .status = HealthStatus::healthy}));
    }
    history_->add(log_->unpublished());
    log_->publish_turn();
    if (stored) history_->write();
  }
  std::vector<std::uint64_t> all(store::HistoryQuery query, store::History* history) {
    std::vector<std::uint64_t> found;
    for (int pages = 0; pages < 1'000; ++pages) {
      const Result<store::HistoryPage> page = read_history(history, *log_, query);
      EXPECT_TRUE(page.ok());
      if (!page) return found;
      EXPECT_LE(page.value().events.size(), query.limit);
      for (const store::PastEvent& event : page.value().events) found.push_back(event.seq);
      if (!page.value().more) return found;
      query.after = page.value().through;
    }
    ADD_FAILURE() << "the pages do not end";
    return found;
  }

  const ThreadRole::Scope role_{control_thread};
  store::TempFolder folder_{store::memory_folder()};
  std::shared_ptr<events::EventLog> log_;
  std::unique_ptr<store::History> history_;
  std::vector<std::uint64_t> states_;
  std::vector<std::uint64_t> checks_;
};

TEST_F(HistoryReads, AreOneSequence) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 40; ++i) {
    turn(random() % 4, random() % 4, random() % 3 == 0);
    const std::size_t limit = 1 + random() % 9;
    EXPECT_EQ(all({.types = ~kCheck, .limit = limit}, history_.get()), states_);
    EXPECT_EQ(all({.types = ~kCheck, .limit = limit}, nullptr), states_) << "without a directory";
    EXPECT_EQ(all({.types = kCheck, .limit = limit}, history_.get()), checks_);
    std::vector<std::uint64_t> both = states_;
    both.insert(both.end(), checks_.begin(), checks_.end());
    std::sort(both.begin(), both.end());
    EXPECT_EQ(all({.limit = limit}, history_.get()), both);
    const std::uint64_t before = 1 + random() % (log_->head() + 2);
    std::erase_if(both, [before](std::uint64_t seq) { return seq >= before; });
    EXPECT_EQ(all({.before = before, .limit = limit}, history_.get()), both);
  }
}

TEST_F(HistoryReads, SayWhenTheStoredPartCannotBeRead) {
  turn(3, 0, true);
  history_->close();
  std::filesystem::remove(folder_ / "history.db");
  const Result<store::HistoryPage> page = read_history(history_.get(), *log_, {});
  ASSERT_FALSE(page.ok());
  EXPECT_EQ(page.error().code, ErrorCode::storage_failed);
}

}  // namespace
}  // namespace azora::orchestrator
