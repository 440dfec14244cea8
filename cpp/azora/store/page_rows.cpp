#include "azora/store/page_rows.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace azora::store {
namespace {

constexpr std::size_t kFileHead = 100;  // on the first page
constexpr unsigned char kTableLeaf = 0x0d;
constexpr unsigned char kIndexLeaf = 0x0a;
constexpr unsigned char kIndexInner = 0x02;

// Reads numbers from bytes of any kind; beyond their end everything is 0.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes, std::size_t at = 0) : bytes_(bytes), at_(at) {}

  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8 | next();
    return value;
  }
  // SQLite's numbers of one to nine bytes.
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) {
      const unsigned char byte = next();
      value = value << 7 | (byte & 0x7f);
      if (byte < 0x80) return value;
    }
    return value << 8 | next();
  }
  std::string_view take(std::size_t size) {
    const std::string_view rest = bytes_.substr(std::min(at_, bytes_.size()), size);
    at_ += std::min(size, bytes_.size() + 1);  // beyond the end when it asks for more
    return rest;
  }
  std::size_t at() const { return at_; }
  bool beyond() const { return at_ > bytes_.size(); }

 private:
  unsigned char next() {
    const std::size_t at = at_++;
    return at < bytes_.size() ? static_cast<unsigned char>(bytes_[at]) : 0;
  }

  std::string_view bytes_;
  std::size_t at_;
};

// The size of what a column holds, by its serial type.
std::size_t size_of(std::uint64_t type) {
  constexpr std::array<std::size_t, 12> kSizes{0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
  return type < kSizes.size() ? kSizes[type] : static_cast<std::size_t>((type - 12) / 2);
}
bool is_blob(std::uint64_t type) { return type >= 12 && type % 2 == 0; }

// A record whose first columns are kind, name and one more.
struct Columns {
  Key key;
  std::uint64_t third_type = 0;
  std::string third;
};
std::optional<Columns> columns_of(const std::string& payload) {
  Bytes head(payload);
  const std::uint64_t head_size = head.varint();
  std::array<std::uint64_t, 3> types{};
  for (std::uint64_t& type : types) type = head.varint();
  if (head.beyond() || head.at() != head_size || !is_blob(types[1])) return std::nullopt;
  Bytes body(payload, head.at());
  std::uint64_t kind = body.number(size_of(types[0]));
  if (types[0] == 9) kind = 1;  // 0 and 1 are types of their own
  Columns columns;
  if (types[0] == 0 || is_blob(types[0]) || kind > static_cast<std::uint64_t>(Table::services)) return std::nullopt;
  columns.key = {static_cast<Table>(kind), std::string(body.take(size_of(types[1])))};
  columns.third_type = types[2];
  columns.third = body.take(size_of(types[2]));
  if (body.beyond() || body.at() != payload.size()) return std::nullopt;
  return columns;
}

// How much of a payload lies on its own page.
std::size_t local_size(std::size_t payload, unsigned char type) {
  const std::size_t most = type == kTableLeaf ? kPageSize - 35 : (kPageSize - 12) * 64 / 255 - 23;
  if (payload <= most) return payload;
  const std::size_t least = (kPageSize - 12) * 32 / 255 - 23;
  const std::size_t wanted = least + (payload - least) % (kPageSize - 4);
  return wanted <= most ? wanted : least;
}

}  // namespace

Pages::Pages(std::string file, const std::vector<LogPage>& log) {
  for (std::size_t at = 0; at < file.size(); at += kPageSize) {
    pages_[static_cast<std::uint32_t>(at / kPageSize) + 1].bytes = file.substr(at, kPageSize);
  }
  for (std::size_t i = 0; i < log.size(); ++i) pages_[log[i].number] = {log[i].bytes, i + 1};
}

std::vector<std::uint32_t> Pages::by_age() const {
  std::vector<std::uint32_t> numbers;
  numbers.reserve(pages_.size());
  for (const auto& [number, page] : pages_) numbers.push_back(number);
  std::stable_sort(numbers.begin(), numbers.end(),
                   [this](std::uint32_t a, std::uint32_t b) { return pages_.at(a).age > pages_.at(b).age; });
  return numbers;
}

std::set<Key> Pages::keys() const {
  std::set<Key> keys;
  for (const auto& [number, page] : pages_) {
    for (Row& row : rows_of(number)) keys.insert(std::move(row.key));
    for (Key& key : index_keys_of(number)) keys.insert(std::move(key));
  }
  return keys;
}

std::uint32_t Pages::head(std::size_t at) const {
  const auto first = pages_.find(1);
  return first == pages_.end() ? 0 : static_cast<std::uint32_t>(Bytes(first->second.bytes, at).number(4));
}

std::vector<Row> Pages::rows_of(std::uint32_t page) const {
  std::vector<Row> rows;
  for (const std::string& payload : payloads(page, kTableLeaf)) {
    std::optional<Columns> columns = columns_of(payload);
    if (columns && is_blob(columns->third_type)) rows.push_back({std::move(columns->key), std::move(columns->third)});
  }
  return rows;
}

std::vector<Key> Pages::index_keys_of(std::uint32_t page) const {
  std::vector<Key> keys;
  for (const unsigned char type : {kIndexLeaf, kIndexInner}) {
    for (const std::string& payload : payloads(page, type)) {
      std::optional<Columns> columns = columns_of(payload);
      if (columns && columns->third_type < 12) keys.push_back(std::move(columns->key));
    }
  }
  return keys;
}

std::vector<std::string> Pages::payloads(std::uint32_t number, unsigned char type) const {
  std::vector<std::string> found;
  const auto page = pages_.find(number);
  if (page == pages_.end() || page->second.bytes.size() != kPageSize) return found;
  const std::string_view bytes = page->second.bytes;
  Bytes head(bytes, number == 1 ? kFileHead : 0);
  if (head.number(1) != type) return found;
  head.number(2);
  const std::uint64_t cells = std::min<std::uint64_t>(head.number(2), kPageSize / 2);
  head.number(type == kIndexInner ? 7 : 3);
  for (std::uint64_t i = 0; i < cells; ++i) found.push_back(payload_at(bytes, head.number(2), type));
  return found;
}

std::string Pages::payload_at(std::string_view page, std::size_t at, unsigned char type) const {
  Bytes cell(page, at);
  if (type == kIndexInner) cell.number(4);
  const std::uint64_t size = cell.varint();
  if (type == kTableLeaf) cell.varint();
  if (size > pages_.size() * kPageSize) return {};
  const std::size_t local = local_size(static_cast<std::size_t>(size), type);
  std::string payload(cell.take(local));
  auto next = static_cast<std::uint32_t>(payload.size() < size ? cell.number(4) : 0);
  // Each page of the chain gives some bytes, so a chain in a circle ends, too.
  while (payload.size() < size && next != 0) {
    const auto found = pages_.find(next);
    if (found == pages_.end()) break;
    Bytes overflow(found->second.bytes);
    next = static_cast<std::uint32_t>(overflow.number(4));
    const std::string_view more = overflow.take(std::min<std::size_t>(kPageSize - 4, static_cast<std::size_t>(size) - payload.size()));
    if (more.empty()) break;
    payload += more;
  }
  return payload;
}

}  // namespace azora::store
