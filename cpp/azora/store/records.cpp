#include "azora/store/records.hpp"

#include <algorithm>

#include "azora/base/hash.hpp"
#include "azora/store/record_reader.hpp"
#include "azora/store/record_writer.hpp"

namespace azora::store {
namespace {

constexpr std::size_t kHead = 2;  // bytes of the version
constexpr std::size_t kTail = 8;  // bytes of the checksum

std::string_view word_of(Table table) {
  switch (table) {
    case Table::heads: return "heads";
    case Table::entries: return "entry";
    case Table::services: return "service";
  }
  return "row";
}

std::uint64_t checksum(const Key& key, std::string_view bytes) {
  return hash_bytes(bytes, hash_bytes(key.name, static_cast<std::uint64_t>(key.table)));
}

template <typename Record>
Row encode_as(const Record& record) {
  Row row{key_of(record), {}};
  RecordWriter writer;
  writer.write(kRecordVersion);
  writer.write(record);
  row.bytes = writer.take();
  RecordWriter tail;
  tail.write(checksum(row.key, row.bytes));
  row.bytes += tail.take();
  return row;
}

Error damaged(const Key& key, const std::string& what) {
  return {ErrorCode::storage_failed,
          "stored " + std::string(word_of(key.table)) + (key.name.empty() ? "" : " \"" + key.name + "\"") + ": " + what, {}};
}

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[i - 1]);
  return value;
}

template <typename Record>
Result<Record> decode_as(const Row& row) {
  const std::string_view bytes = row.bytes;
  if (bytes.size() < kHead + kTail) return damaged(row.key, "is cut short: " + std::to_string(bytes.size()) + " bytes");
  const std::string_view checked = bytes.substr(0, bytes.size() - kTail);
  if (little_endian(bytes.substr(checked.size())) != checksum(row.key, checked)) {
    return damaged(row.key, "its checksum is wrong: it was damaged or cut short, or belongs to another key");
  }
  const std::uint64_t version = little_endian(checked.substr(0, kHead));
  if (version < 1 || version > kRecordVersion) {
    return damaged(row.key, "has version " + std::to_string(version) + "; this program reads versions 1 to " +
                                std::to_string(kRecordVersion));
  }
  Record record;
  RecordReader reader(checked.substr(kHead), version);
  rows(record, reader);
  reader.end();
  if (!reader.fault().empty()) return damaged(row.key, reader.fault());
  if (key_of(record) != row.key) return damaged(row.key, "is about " + key_of(record).name);
  return record;
}

}  // namespace

Key key_of(const HeadsRecord&) { return {Table::heads, {}}; }
Key key_of(const EntryRecord& record) { return entry_key(record.name); }
Key key_of(const ServiceRecord& record) { return service_key(record.serial); }
Key entry_key(std::string_view name) { return {Table::entries, std::string(name)}; }
Key service_key(std::uint64_t serial) { return {Table::services, std::to_string(serial)}; }

Row encode(const HeadsRecord& record) { return encode_as(record); }
Row encode(const EntryRecord& record) { return encode_as(record); }
Row encode(const ServiceRecord& record) { return encode_as(record); }

std::uint64_t fingerprint(const ServiceRecord& record) {
  RecordWriter writer;
  rows(record, [&writer](std::string_view name, const auto& field) {
    if (name != "written" && name != "ordinal") writer(name, field);
  });
  return hash_bytes(writer.take());
}

Result<HeadsRecord> decode_heads(const Row& row) { return decode_as<HeadsRecord>(row); }
Result<EntryRecord> decode_entry(const Row& row) { return decode_as<EntryRecord>(row); }
Result<ServiceRecord> decode_service(const Row& row) { return decode_as<ServiceRecord>(row); }

Result<State> decode_state(const std::vector<Row>& rows) {
  State state;
  std::string faults;
  const auto take = [&faults](auto decoded, const auto& put) {
    if (decoded) return put(std::move(decoded).value());
    faults += (faults.empty() ? "" : "; ") + decoded.error().message;
  };
  for (const Row& row : rows) {
    switch (row.key.table) {
      case Table::heads:
        take(decode_heads(row), [&](HeadsRecord record) { state.heads = record; });
        break;
      case Table::entries:
        take(decode_entry(row), [&](EntryRecord record) { state.entries.push_back(std::move(record)); });
        break;
      case Table::services:
        take(decode_service(row), [&](ServiceRecord record) { state.services.push_back(std::move(record)); });
        break;
    }
  }
  if (!faults.empty()) return Error{ErrorCode::storage_failed, std::move(faults), {}};
  const auto by_order = [](const auto& a, const auto& b) { return a.order < b.order; };
  std::stable_sort(state.entries.begin(), state.entries.end(), by_order);
  std::stable_sort(state.services.begin(), state.services.end(), by_order);
  return state;
}

}  // namespace azora::store
