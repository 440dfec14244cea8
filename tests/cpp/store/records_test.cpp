// Every row of every record comes back as it was stored, whatever it holds.
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

#include "azora/base/hash.hpp"
#include "azora/store/memory_store.hpp"
#include "azora/store/records.hpp"
#include "store/random_record.hpp"

namespace azora::store {
namespace {

template <typename Record, typename Decode>
void comes_back(std::uint64_t seed, Decode decode) {
  std::mt19937_64 random(seed);
  const auto record = random_record<Record>(random);
  const Row row = encode(record);
  const Result<Record> back = decode(row);
  ASSERT_TRUE(back.ok()) << "seed " << seed << ": " << back.error().message;
  EXPECT_EQ(back.value(), record) << "seed " << seed;
  EXPECT_EQ(encode(back.value()), row) << "seed " << seed;
}

TEST(Records, ComeBackAsTheyWere) {
  for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
    comes_back<HeadsRecord>(seed, decode_heads);
    comes_back<EntryRecord>(seed, decode_entry);
    comes_back<ServiceRecord>(seed, decode_service);
  }
}

// A row that was bound and never visited would come back as its default.
struct Counter {
  template <typename Field>
  void operator()(std::string_view name, const Field& field) {
    EXPECT_TRUE(names.insert(std::string(name)).second) << name << " is listed twice";
    if constexpr (requires(Counter& inner) { rows(field, inner); }) {
      Counter inner;
      rows(field, inner);
      count += inner.count;
    } else {
      ++count;
    }
  }
  std::set<std::string> names;
  int count = 0;
};

template <typename Record>
int rows_of() {
  Counter counter;
  const Record record;
  rows(record, counter);
  return counter.count;
}

TEST(Records, ListEveryFieldOnce) {
  EXPECT_EQ(rows_of<HeadsRecord>(), 5);
  EXPECT_EQ(rows_of<EntryRecord>(), 7);
  EXPECT_EQ(rows_of<MachineRecord>(), 34);
  EXPECT_EQ(rows_of<StagedRecord>(), 3);
  EXPECT_EQ(rows_of<ExitRecord>(), 5);
  EXPECT_EQ(rows_of<DrainRecord>(), 4);
  EXPECT_EQ(rows_of<MaintenanceRecord>(), 3);
  EXPECT_EQ(rows_of<ServiceRecord>(), 18 + 34);  // optional parts count once
}

TEST(Fingerprint, DiffersWithEveryRowButTheTimeOfWritingAndTheOrdinal) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    const auto record = random_record<ServiceRecord>(random);
    auto later = record;
    later.written.ms += 1;
    later.ordinal = later.ordinal.value_or(0) + 1;
    EXPECT_EQ(fingerprint(later), fingerprint(record));
    auto other = record;
    other.machine.attempts ^= 1;
    EXPECT_NE(fingerprint(other), fingerprint(record));
    other = record;
    other.machine.deadline = other.machine.deadline ? std::nullopt : OptionalDistance(Nanos(1));
    EXPECT_NE(fingerprint(other), fingerprint(record));
    other = record;
    other.status = static_cast<HealthStatus>((static_cast<int>(other.status) + 1) % 4);
    EXPECT_NE(fingerprint(other), fingerprint(record));
  }
}

TEST(DecodeState, GivesAllRecordsOfAStoreInTheirOrder) {
  MemoryStore store;
  HeadsRecord heads{.last_serial = 9, .next_order = 3, .event_seq = 1'000, .epoch = 4};
  EntryRecord late{.name = "a", .source = "{}", .order = 2};
  EntryRecord early{.name = "b", .source = "{}", .order = 1};
  ServiceRecord tenth{.serial = 10, .id = "a", .order = 2};
  ServiceRecord ninth{.serial = 9, .id = "b", .order = 1};
  store.commit({.rows = {encode(heads), encode(late), encode(early), encode(tenth), encode(ninth)}, .removed = {}});
  const Result<State> state = decode_state(store.load().value());
  ASSERT_TRUE(state.ok()) << state.error().message;
  EXPECT_EQ(state.value().heads, heads);
  EXPECT_EQ(state.value().entries, (std::vector<EntryRecord>{early, late}));
  EXPECT_EQ(state.value().services, (std::vector<ServiceRecord>{ninth, tenth}));
}

}  // namespace
}  // namespace azora::store
