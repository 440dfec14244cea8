// `azora state check` and `azora state repair`, on states that are damaged in every way.
#include "azora/store/state_tools.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "azora/store/records.hpp"
#include "azora/store/sqlite.hpp"
#include "store/random_record.hpp"
#include "store/store_rig.hpp"

namespace azora::store {
namespace {

using Rows = std::map<Key, std::string>;
constexpr WallTime kNow{1'800'000'000'000};

class StateTools : public ::testing::Test {
 protected:
  std::filesystem::path folder() const { return folder_ / "state"; }
  std::filesystem::path state() const { return folder() / "state.db"; }
  std::filesystem::path log() const { return folder() / "state.db-wal"; }

  // Real records, in commits of one each; what a crash would leave is in file_ and log_.
  void fill(int services = 60) {
    SqliteRig rig(folder());
    ASSERT_EQ(rig.open(), "");
    std::vector<Row> rows{encode(random_record<HeadsRecord>(random_))};
    for (int i = 0; i < services; ++i) {
      auto service = random_record<ServiceRecord>(random_);
      service.serial = static_cast<std::uint64_t>(i);
      rows.push_back(encode(service));
    }
    auto large = random_record<EntryRecord>(random_);
    large.source = std::string(30'000, 's');  // over several pages
    rows.push_back(encode(large));
    for (const Row& row : rows) ASSERT_TRUE(rig.commit({.rows = {row}, .removed = {}}));
    rows_ = rig.rows();
    file_ = file_bytes(state());
    log_ = file_bytes(log());
    rig.close();
    whole_ = file_bytes(state());
  }
  // Opens a directory that holds these files and nothing else.
  void lay_out(const std::string& file, const std::string& log_of_it = {}) {
    std::filesystem::remove_all(folder());
    std::filesystem::create_directory(folder());
    ::chmod(folder().c_str(), 0700);
    write_bytes(state(), file);
    if (!log_of_it.empty()) write_bytes(log(), log_of_it);
  }
  std::vector<Finding> check() {
    Result<std::vector<Finding>> findings = check_state(folder(), kNow);
    EXPECT_TRUE(findings.ok()) << findings.error().message;
    return findings ? std::move(findings).value() : std::vector<Finding>();
  }
  Repair repair() {
    Result<Repair> repaired = repair_state(folder(), kNow);
    EXPECT_TRUE(repaired.ok()) << repaired.error().message;
    return repaired ? std::move(repaired).value() : Repair();
  }
  Rows rows_after_start() {
    SqliteRig rig(folder());
    const std::string error = rig.open();
    EXPECT_EQ(error, "");
    Rows rows = error.empty() ? rig.rows() : Rows();
    take_out_new_heads(rows);
    return rows;
  }
  // Heads that were lost were made anew, beyond all that was saved.
  void take_out_new_heads(Rows& rows) {
    const auto found = rows.find(key_of(HeadsRecord{}));
    if (found == rows.end() || found->second == rows_.at(found->first)) return;
    ++new_heads_;
    const Result<HeadsRecord> heads = decode_heads({found->first, found->second});
    ASSERT_TRUE(heads.ok()) << heads.error().message;
    for (const auto& [key, bytes] : rows) {
      if (key.table != Table::services) continue;
      const Result<ServiceRecord> service = decode_service({key, bytes});
      EXPECT_GT(heads.value().last_serial, service.value().serial);
      EXPECT_GE(heads.value().next_order, service.value().order);
    }
    EXPECT_EQ(heads.value().epoch, static_cast<std::uint64_t>(kNow.ms / 1'000));
    EXPECT_GE(heads.value().event_seq, std::uint64_t{1} << 32U);
    EXPECT_NE(heads.value().boot_id, "");
    rows.erase(found);
  }

  TempFolder folder_{memory_folder()};
  std::mt19937_64 random_{3};
  Rows rows_;
  std::string file_;   // while the store ran
  std::string log_;
  std::string whole_;  // after an orderly end
  int new_heads_ = 0;
};

TEST_F(StateTools, FindNothingInAGoodStateAndChangeNothing) {
  fill();
  EXPECT_TRUE(check().empty());
  EXPECT_FALSE(std::filesystem::exists(log()));
  EXPECT_EQ(file_bytes(state()), whole_);
  EXPECT_EQ(repair().saved, 0U);
  EXPECT_EQ(file_bytes(state()), whole_);
  lay_out(file_, log_);
  EXPECT_TRUE(check().empty());
  EXPECT_EQ(file_bytes(log()), log_);
  EXPECT_EQ(rows_after_start(), rows_);
}

TEST_F(StateTools, RefuseADirectoryThatIsInUseOrHasNoState) {
  EXPECT_FALSE(check_state(folder(), kNow).ok());
  EXPECT_FALSE(std::filesystem::exists(folder()));
  SqliteRig rig(folder());
  ASSERT_EQ(rig.open(), "");
  const Result<std::vector<Finding>> findings = check_state(folder(), kNow);
  ASSERT_FALSE(findings.ok());
  EXPECT_NE(findings.error().message.find("in use by process"), std::string::npos);
  EXPECT_FALSE(repair_state(folder(), kNow).ok());
}

TEST_F(StateTools, NameTheRecordThatIsDamaged) {
  fill();
  const std::size_t at = whole_.find(rows_.at({Table::services, "7"}));
  ASSERT_NE(at, std::string::npos);
  std::string damaged = whole_;
  damaged[at + 20] = static_cast<char>(damaged[at + 20] ^ 1);
  lay_out(damaged);
  const std::vector<Finding> findings = check();
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].key, (Key{Table::services, "7"}));
  EXPECT_NE(words_of(findings[0]).find("state.db: service \"7\": "), std::string::npos) << words_of(findings[0]);
  EXPECT_NE(findings[1].what.find("that were committed last"), std::string::npos);

  const Repair repaired = repair();
  EXPECT_EQ(repaired.saved, rows_.size() - 1);
  ASSERT_EQ(repaired.lost.size(), 1U);
  EXPECT_EQ(repaired.lost[0].key, (Key{Table::services, "7"}));
  ASSERT_EQ(repaired.kept.size(), 1U);
  EXPECT_NE(repaired.kept[0].find("state.db.damaged-20270115T080000000Z"), std::string::npos) << repaired.kept[0];
  EXPECT_EQ(file_bytes(repaired.kept[0]), damaged);
  rows_.erase({Table::services, "7"});
  EXPECT_EQ(rows_after_start(), rows_);
  EXPECT_TRUE(check().empty());
}

// Every page in turn is nothing but noise, that of the file's head among them.
TEST_F(StateTools, SaveEveryRowThatIsNotOnTheLostPage) {
  fill();
  constexpr std::size_t kPage = 4'096;
  for (std::size_t page = 0; page * kPage < whole_.size(); ++page) {
    std::string damaged = whole_;
    for (std::size_t i = page * kPage; i < (page + 1) * kPage; ++i) damaged[i] = static_cast<char>(random_());
    lay_out(damaged);
    ASSERT_FALSE(check().empty()) << page;
    const Repair repaired = repair();
    const Rows saved = rows_after_start();
    ASSERT_EQ(repaired.saved, saved.size());
    for (const auto& [key, bytes] : saved) ASSERT_EQ(rows_.at(key), bytes);
    std::set<Key> lost;
    for (const Finding& finding : repaired.lost) {
      if (finding.key) lost.insert(*finding.key);
    }
    // The index names what the page held.
    for (const auto& [key, bytes] : rows_) ASSERT_EQ(saved.contains(key), !lost.contains(key)) << page << " " << key.name;
    ASSERT_GE(saved.size() + 16, rows_.size()) << page;
    ASSERT_EQ(file_bytes(repaired.kept.at(0)), damaged);
  }
  EXPECT_EQ(new_heads_, 1) << "they lie on one page";
}

TEST_F(StateTools, SaveWhatLiesBehindTheDamageInALog) {
  fill();
  int repaired_states = 0;
  for (int i = 0; i < 60; ++i) {
    std::string damaged = log_;
    const std::size_t at = i == 0 ? 3 : random_() % (damaged.size() * 3 / 4);
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    lay_out(file_, damaged);
    if (check().empty()) continue;
    ++repaired_states;
    const Repair repaired = repair();
    const Rows saved = rows_after_start();
    ASSERT_EQ(repaired.kept.size(), 2U);
    EXPECT_EQ(file_bytes(repaired.kept[1]), damaged);
    for (const auto& [key, bytes] : saved) ASSERT_EQ(rows_.at(key), bytes);
    ASSERT_GE(saved.size() + 16, rows_.size()) << "byte " << at;
  }
  EXPECT_GT(repaired_states, 50);
}

TEST_F(StateTools, NeverFailOnNoise) {
  fill(10);
  for (int i = 0; i < 150; ++i) {
    std::string noisy = whole_;
    for (std::uint64_t k = random_() % 200; k > 0; --k) noisy[random_() % noisy.size()] = static_cast<char>(random_());
    if (i % 3 == 0) noisy.resize(random_() % noisy.size());
    lay_out(noisy);
    check();
    const Result<Repair> repaired = repair_state(folder(), kNow);
    if (!repaired) {
      EXPECT_NE(repaired.error().message.find("is left as it is"), std::string::npos) << repaired.error().message;
      EXPECT_EQ(file_bytes(state()), noisy);
      continue;
    }
    for (const auto& [key, bytes] : rows_after_start()) ASSERT_EQ(rows_.at(key), bytes);
  }
}

TEST_F(StateTools, LeaveAFileOfANewerVersionAlone) {
  fill(3);
  std::string newer = whole_;
  newer[63] = 9;
  lay_out(newer);
  EXPECT_NE(words_of(check().at(0)).find("has version 9"), std::string::npos);
  const Result<Repair> repaired = repair_state(folder(), kNow);
  ASSERT_FALSE(repaired.ok());
  EXPECT_EQ(file_bytes(state()), newer);
}

TEST_F(StateTools, GoOnWithARepairThatWasInterrupted) {
  fill();
  std::string damaged = whole_;
  std::fill_n(damaged.begin(), 100, 'x');
  lay_out(damaged);
  // Before the new file was whole.
  write_bytes(folder() / "state.repaired", "half");
  {
    SqliteRig rig(folder());
    EXPECT_NE(rig.open().find("its repair was interrupted"), std::string::npos);
  }
  EXPECT_EQ(repair().saved, rows_.size());
  EXPECT_EQ(rows_after_start(), rows_);
  // When it was whole, and the old log was gone already.
  const std::string good = file_bytes(state());
  lay_out(damaged);
  write_bytes(folder() / "state.repaired", good);
  EXPECT_EQ(repair().saved, rows_.size());
  EXPECT_EQ(rows_after_start(), rows_);
}

}  // namespace
}  // namespace azora::store
