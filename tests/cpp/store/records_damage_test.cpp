// Bytes of any kind: decoding gives a record that writes the same bytes, or a fault with a name. Run under the
// sanitizers, this also says that it never reads what is not there.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "azora/base/hash.hpp"
#include "azora/store/records.hpp"
#include "store/random_record.hpp"

namespace azora::store {
namespace {

// As an attacker or a bug of ours would: other bytes under a checksum that is right.
Row sealed(Key key, std::string bytes) {
  const std::uint64_t sum = hash_bytes(bytes, hash_bytes(key.name, static_cast<std::uint64_t>(key.table)));
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(sum >> (8 * i)));
  return {std::move(key), std::move(bytes)};
}

std::string unsealed(const Row& row) { return row.bytes.substr(0, row.bytes.size() - 8); }

ServiceRecord some_service(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  return random_record<ServiceRecord>(random);
}

TEST(DamagedRecord, IsRefusedAtEveryTruncation) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Row whole = encode(some_service(seed));
    for (std::size_t length = 0; length < whole.bytes.size(); ++length) {
      const Result<ServiceRecord> back = decode_service({whole.key, whole.bytes.substr(0, length)});
      ASSERT_FALSE(back.ok()) << "seed " << seed << ", " << length << " bytes";
      EXPECT_EQ(back.error().code, ErrorCode::storage_failed);
      EXPECT_NE(back.error().message.find("service \"" + whole.key.name + "\""), std::string::npos) << back.error().message;
    }
  }
}

TEST(DamagedRecord, IsRefusedAtEveryFlippedBit) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Row whole = encode(some_service(seed));
    for (std::size_t bit = 0; bit < 8 * whole.bytes.size(); ++bit) {
      Row flipped = whole;
      flipped.bytes[bit / 8] = static_cast<char>(flipped.bytes[bit / 8] ^ (1 << (bit % 8)));
      ASSERT_FALSE(decode_service(flipped).ok()) << "seed " << seed << ", bit " << bit;
    }
  }
}

TEST(DamagedRecord, IsRefusedUnderAnotherKey) {
  const Row row = encode(some_service(1));
  EXPECT_FALSE(decode_service({service_key(12345), row.bytes}).ok());
  const Result<ServiceRecord> other = decode_service(sealed(service_key(12345), unsealed(row)));
  ASSERT_FALSE(other.ok());
  EXPECT_NE(other.error().message.find("is about " + row.key.name), std::string::npos) << other.error().message;
}

TEST(DamagedRecord, OfAnotherVersionNamesBothVersions) {
  std::string bytes = unsealed(encode(HeadsRecord{.last_serial = 1}));
  bytes[0] = 9;
  const Result<HeadsRecord> back = decode_heads(sealed({Table::heads, {}}, bytes));
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().message, "stored heads: has version 9; this program reads versions 1 to 2");
}

TEST(DamagedRecord, NamesTheFieldThatIsWrong) {
  const auto fault_of = [](const auto& change) {
    ServiceRecord record{.serial = 7, .id = "orders"};
    const std::string before = unsealed(encode(record));
    std::string bytes = before;
    change(bytes);
    const Result<ServiceRecord> back = decode_service(sealed(service_key(7), bytes));
    return back.ok() ? std::string("accepted") : back.error().message;
  };
  const std::string where = "stored service \"7\": ";
  EXPECT_EQ(fault_of([](std::string& bytes) { bytes += '\0'; }), where + "has 1 extra bytes at its end");
  EXPECT_EQ(fault_of([](std::string& bytes) { bytes.pop_back(); }), where + "maintenance: is cut short");
  EXPECT_EQ(fault_of([](std::string& bytes) { bytes.back() = 2; }),
            where + "maintenance: is the byte 2; it must be 0 or 1");
  EXPECT_EQ(fault_of([](std::string& bytes) { bytes.replace(bytes.find("IDLE"), 4, "idle"); }),
            where + "machine.lifecycle: is an unknown word");
  EXPECT_EQ(fault_of([](std::string& bytes) { bytes[bytes.find("orders") - 4] = '\xff'; }).substr(0, where.size() + 11),
            where + "id: is 255 ");
}

// A record of version 1 ends before the rows that version 2 added; they are read as not set.
TEST(FormerRecord, IsReadWithoutTheRowsThatCameLater) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    ServiceRecord record = some_service(seed);
    record.drain.reset();
    record.maintenance.reset();
    std::string bytes = unsealed(encode(record));
    bytes.resize(bytes.size() - 2);
    bytes[0] = 1;
    const Result<ServiceRecord> back = decode_service(sealed(service_key(record.serial), bytes));
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(back.value(), record);
    bytes[0] = 2;
    EXPECT_FALSE(decode_service(sealed(service_key(record.serial), bytes)).ok()) << "version 2 has these rows";
  }
}

// Whatever is accepted is canonical; whatever is not has a reason.
TEST(HostileRecord, IsEitherReadWholeOrRefusedByName) {
  std::mt19937_64 random(11);
  int accepted = 0;
  int refused = 0;
  for (int round = 0; round < 30'000; ++round) {
    const ServiceRecord record = some_service(random() % 50);
    std::string bytes = unsealed(encode(record));
    for (auto changes = 1 + random() % 3; changes > 0; --changes) {
      const std::size_t at = 2 + random() % (bytes.size() - 2);
      switch (random() % 5) {
        case 0: bytes[at] = static_cast<char>(random()); break;
        case 1: bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8)); break;
        case 2: bytes.resize(at + 1); break;
        case 3: bytes.insert(at, random() % 9, static_cast<char>(random())); break;
        default: bytes.replace(at, std::min<std::size_t>(4, bytes.size() - at), "\xff\xff\xff\xff");
      }
    }
    const Row row = sealed(service_key(record.serial), bytes);
    const Result<ServiceRecord> back = decode_service(row);
    if (back.ok()) {
      ++accepted;
      EXPECT_EQ(encode(back.value()), row);
    } else {
      ++refused;
      EXPECT_EQ(back.error().code, ErrorCode::storage_failed);
      EXPECT_GT(back.error().message.size(), std::string("stored service \"\": ").size());
    }
  }
  EXPECT_GT(accepted, 1'000);  // the test reaches both
  EXPECT_GT(refused, 1'000);
}

TEST(HostileRecord, OfPlainNoiseIsRefused) {
  std::mt19937_64 random(12);
  for (int round = 0; round < 5'000; ++round) {
    std::string noise(random() % 200, '\0');
    for (char& one : noise) one = static_cast<char>(random());
    const Row row = sealed(service_key(1), noise);
    EXPECT_FALSE(decode_service(row).ok());
    EXPECT_FALSE(decode_entry({entry_key("x"), row.bytes}).ok());
    EXPECT_FALSE(decode_heads({{Table::heads, {}}, row.bytes}).ok());
  }
}

TEST(DamagedState, NamesEveryDamagedRow) {
  std::vector<Row> rows = {encode(EntryRecord{.name = "good", .source = "{}"}), encode(EntryRecord{.name = "bad", .source = "{}"}),
                           encode(ServiceRecord{.serial = 3, .id = "worse"})};
  rows[1].bytes[5] = static_cast<char>(rows[1].bytes[5] ^ 1);
  rows[2].bytes.resize(4);
  const Result<State> state = decode_state(rows);
  ASSERT_FALSE(state.ok());
  EXPECT_NE(state.error().message.find("entry \"bad\""), std::string::npos) << state.error().message;
  EXPECT_NE(state.error().message.find("service \"3\""), std::string::npos) << state.error().message;
  EXPECT_EQ(state.error().message.find("good"), std::string::npos) << state.error().message;
}

}  // namespace
}  // namespace azora::store
