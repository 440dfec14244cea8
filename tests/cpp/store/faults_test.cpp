// What is left after every possible fault of the disk, and after a power cut at every moment.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "azora/store/state_file.hpp"
#include "azora/store/state_folder.hpp"
#include "store/fault_vfs.hpp"
#include "store/store_rig.hpp"

namespace azora::store {
namespace {

using Rows = std::map<Key, std::string>;

// A program that stores what it wants, and repeats what was refused, as the orchestrator does.
class Writer {
 public:
  Writer(SqliteRig& rig, std::uint64_t seed) : rig_(rig), random_(seed) {}

  // One commit; true: it was acknowledged.
  bool commit() {
    Batch batch = next();
    const bool done = rig_.commit(batch);
    std::set<Rows> after = done ? std::set<Rows>() : possible_;
    for (Rows rows : possible_) {
      apply_batch(rows, batch);
      after.insert(std::move(rows));
    }
    possible_ = std::move(after);
    if (done) {
      owed_.clear();
      EXPECT_EQ(possible_, std::set<Rows>{wanted_});
    } else {
      for (const Row& row : batch.rows) owed_.insert(row.key);
      for (const Key& key : batch.removed) owed_.insert(key);
    }
    return done;
  }
  // What the file may hold: what was acknowledged, with or without the commits after it that were not.
  const std::set<Rows>& possible() const { return possible_; }
  const Rows& wanted() const { return wanted_; }

 private:
  Batch next() {
    std::set<Key> keys = owed_;
    const std::uint64_t count = random_() % 6;
    for (std::uint64_t i = 0; i < count; ++i) {
      const Key key{static_cast<Table>(random_() % 3), std::to_string(random_() % 30)};
      keys.insert(key);
      if (random_() % 4 == 0) wanted_.erase(key);
      else wanted_[key] = std::string(random_() % 2'000, static_cast<char>('a' + random_() % 26));
    }
    Batch batch;
    for (const Key& key : keys) {
      const auto found = wanted_.find(key);
      if (found == wanted_.end()) batch.removed.push_back(key);
      else batch.rows.push_back({key, found->second});
    }
    return batch;
  }

  SqliteRig& rig_;
  std::mt19937_64 random_;
  Rows wanted_;
  std::set<Key> owed_;
  std::set<Rows> possible_{Rows{}};
};

class StoreFaults : public ::testing::Test {
 protected:
  static constexpr double kShares[] = {0, 0.5, 1};

  std::filesystem::path folder() const { return folder_ / "state"; }
  // A short log, so that copying it into the file is among the faults.
  SqliteRig rig() const { return SqliteRig(folder(), {.vfs = FaultVfs::name(), .long_log = 12}); }
  void begin_anew() { std::filesystem::remove_all(folder()); }

  // What a healthy machine finds in that image; a failure of the test when it is refused.
  static Rows rows_in(const DiskImage& image) {
    const TempFolder other(memory_folder());
    write_image(image, other.path());
    const Result<StateFolder> folder = StateFolder::open(other.path(), {});
    if (!folder) return refused(folder.error());
    const Result<bool> there = folder.value().has_state();
    if (!there) return refused(there.error());
    if (!there.value()) return {};
    Result<StateFile> file = StateFile::open(folder.value().state_path(), nullptr);
    if (!file) return refused(file.error());
    const Result<std::vector<Row>> loaded = file.value().load();
    if (!loaded) return refused(loaded.error());
    Rows rows;
    for (const Row& row : loaded.value()) rows.emplace(row.key, row.bytes);
    return rows;
  }
  static Rows refused(const Error& error) {
    ADD_FAILURE() << error.message;
    return {{{Table::heads, "refused"}, error.message}};
  }
  DiskImage image_of(double share) { return vfs_.cut_power(folder(), share, random_); }
  // After a power cut now there is what may be there.
  void expect_after_power_cut(const std::set<Rows>& possible) {
    for (const double share : kShares) EXPECT_TRUE(possible.contains(rows_in(image_of(share)))) << share;
  }

  std::mt19937_64 random_{11};
  FaultVfs vfs_;
  TempFolder folder_{memory_folder()};
};

TEST_F(StoreFaults, WorksOverALayerWithoutSharedMemory) {
  SqliteRig rig = this->rig();
  ASSERT_EQ(rig.open(), "");
  Writer writer(rig, 1);
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(writer.commit());
  EXPECT_EQ(rig.rows(), writer.wanted());
  expect_after_power_cut({writer.wanted()});
}

// Images are made before every call, from the making of the directory to the end of the last commit.
TEST_F(StoreFaults, APowerCutAtAnyMomentLosesNothingAcknowledged) {
  struct Moment {
    DiskImage image;
    std::uint64_t acknowledged;
  };
  std::vector<Moment> moments;
  std::atomic<std::uint64_t> acknowledged{0};
  vfs_.set_before_call([&] {
    for (const double share : kShares) moments.push_back({image_of(share), acknowledged});
  });
  std::vector<Rows> states{{}};
  {
    SqliteRig rig = this->rig();
    ASSERT_EQ(rig.open(), "");
    Writer writer(rig, 2);
    for (std::uint64_t i = 1; i <= 12; ++i) {
      ASSERT_TRUE(writer.commit());
      acknowledged = i;
      states.push_back(writer.wanted());
    }
  }
  vfs_.set_before_call(nullptr);
  std::map<DiskImage, Rows> seen;
  for (const Moment& moment : moments) {
    if (!seen.contains(moment.image)) seen.emplace(moment.image, rows_in(moment.image));
    const Rows& rows = seen.at(moment.image);
    const auto found = std::find(states.begin() + static_cast<std::ptrdiff_t>(moment.acknowledged), states.end(), rows);
    ASSERT_NE(found, states.end()) << "after " << moment.acknowledged << " commits: " << rows.size() << " rows";
  }
  EXPECT_GT(seen.size(), 50U);
}

// Whatever call fails, what was told stays true, and the next commit on a disk that works is acknowledged.
class StoreFaultsAtEveryCall : public StoreFaults {
 protected:
  // Runs a program with that fault, and what is written after it.
  void run(FaultVfs::Plan plan) {
    begin_anew();
    vfs_.set_plan(plan);
    SqliteRig rig = this->rig();
    std::string error = rig.open();
    if (!error.empty()) {
      EXPECT_NE(error.find(folder().string()), std::string::npos) << error;
      EXPECT_TRUE(!plan.full || error.find("full") != std::string::npos) << error;
      vfs_.set_plan({});
      error = rig.open();
    }
    ASSERT_EQ(error, "");
    Writer writer(rig, 3);
    bool last = true;
    for (int i = 0; i < kCommits; ++i) {
      const bool done = writer.commit();
      if (!done) expect_refused(rig.answers().last_failure, writer, plan);
      ASSERT_TRUE(done || last || plan.lasting || plan.full) << rig.answers().last_failure.reason;
      last = done;
    }
    fired_ += vfs_.fired();
    calls_ = vfs_.calls();
    vfs_.set_plan({});
    // A fault that came after the last answer, when the log was copied, shows at the next commit at most.
    ASSERT_TRUE(writer.commit()) << rig.answers().last_failure.reason;
    expect_after_power_cut(writer.possible());
    ASSERT_EQ(rig.rows(), writer.wanted());
  }
  void expect_refused(const Failure& failure, const Writer& writer, const FaultVfs::Plan& plan) {
    EXPECT_NE(failure.reason.find(folder().string()), std::string::npos) << failure.reason;
    EXPECT_EQ(failure.full, plan.full) << failure.reason;
    expect_after_power_cut(writer.possible());
  }
  // At every call of a run without a fault.
  void run_at_every_call(FaultVfs::Plan plan) {
    run({});
    const std::int64_t calls = calls_;
    for (plan.at = 0; plan.at < calls; ++plan.at) {
      SCOPED_TRACE("call " + std::to_string(plan.at));
      run(plan);
      if (HasFatalFailure()) return;
    }
    EXPECT_GE(fired_, calls / 2);
  }

  static constexpr int kCommits = 6;
  std::int64_t calls_ = 0;
  std::int64_t fired_ = 0;
};

TEST_F(StoreFaultsAtEveryCall, OneThatFailsCostsAtMostTheCommitItHits) { run_at_every_call({}); }

TEST_F(StoreFaultsAtEveryCall, AllThatFailFromThereOnAreForgivenWhenTheDiskWorksAgain) { run_at_every_call({.lasting = true}); }

TEST_F(StoreFaultsAtEveryCall, NoRoomFromThereOnIsToldAndForgivenWhenThereIsRoomAgain) { run_at_every_call({.full = true}); }

}  // namespace
}  // namespace azora::store
