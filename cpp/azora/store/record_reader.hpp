#pragma once
// From bytes to fields, for bytes of any kind: the first fault is kept with the path of its field, and nothing is read
// after it. If bytes are accepted, RecordWriter writes exactly the same bytes again.
// Threads: the caller's. Ownership: borrows the bytes. Fails: fault() is not empty.
#include <algorithm>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "azora/store/record_rows.hpp"
#include "azora/store/record_words.hpp"

namespace azora::store {

class RecordReader {
 public:
  // `version`: of the record. Rows that a later version added are left as they are.
  RecordReader(std::string_view bytes, std::uint64_t version) : bytes_(bytes), version_(version) {}

  template <typename Field>
  void operator()(std::string_view name, Field& field) {
    if (!fault_.empty()) return;
    const std::size_t outer = path_.size();
    if (!path_.empty()) path_ += '.';
    path_ += name;
    if (has(path_)) read(field);
    path_.resize(outer);
  }
  // Call it after the last field.
  void end() {
    if (fault_.empty() && !bytes_.empty()) fault_ = "has " + std::to_string(bytes_.size()) + " extra bytes at its end";
  }
  const std::string& fault() const { return fault_; }  // empty: none

 private:
  // A century: no deadline is longer, and sums of longer ones would overflow.
  static constexpr std::int64_t kLongest = 100LL * 366 * 24 * 3600 * 1'000'000'000;

  bool has(std::string_view path) const {
    return std::none_of(kAddedRows.begin(), kAddedRows.end(), [&](const AddedRow& row) {
      return version_ < row.since && row.path == path;
    });
  }
  void read(bool& field) {
    std::uint8_t byte = 0;
    number(byte);
    if (byte > 1) fail("is the byte " + std::to_string(byte) + "; it must be 0 or 1");
    field = byte == 1;
  }
  void read(std::integral auto& field) {
    std::make_unsigned_t<std::remove_reference_t<decltype(field)>> value = 0;
    number(value);
    field = static_cast<std::remove_reference_t<decltype(field)>>(value);
  }
  void read(Nanos& field) {
    std::int64_t count = 0;
    read(count);
    if (count < -kLongest || count > kLongest) {
      fail("is " + std::to_string(count) + " ns; it must be within a century");
      count = 0;
    }
    field = Nanos(count);
  }
  void read(WallTime& field) {
    read(field.ms);
    constexpr std::int64_t kYear10000 = 253'402'300'800'000;
    if (field.ms >= -kYear10000 && field.ms <= kYear10000) return;
    fail("is " + std::to_string(field.ms) + " ms; it must be a date");
    field = {};
  }
  void read(std::string& field) {
    const std::uint32_t length = length_of(1);
    field.assign(bytes_.substr(0, length));
    bytes_.remove_prefix(length);
  }
  template <Word Enum>
  void read(Enum& field) {
    std::string word;
    read(word);
    if (!fault_.empty()) return;
    const auto words = words_of(field);
    const auto found = std::find(words.begin(), words.end(), word);
    if (found == words.end()) return fail("is an unknown word");
    field = static_cast<Enum>(found - words.begin());
  }
  template <typename Field>
  void read(std::optional<Field>& field) {
    bool given = false;
    read(given);
    if (given && fault_.empty()) read(field.emplace());
  }
  template <typename Field>
  void read(std::vector<Field>& field) {
    const std::uint32_t length = length_of(std::is_arithmetic_v<Field> ? sizeof(Field) : 4);
    field.clear();
    for (std::uint32_t i = 0; i < length && fault_.empty(); ++i) read(field.emplace_back());
  }
  template <typename Record>
    requires requires(Record& record, RecordReader& reader) { rows(record, reader); }
  void read(Record& record) {
    rows(record, *this);
  }

  // The length of a string or list whose elements take at least `least` bytes each: never more than the rest can hold.
  std::uint32_t length_of(std::size_t least) {
    std::uint32_t length = 0;
    number(length);
    if (fault_.empty() && length > bytes_.size() / least) {
      fail("is " + std::to_string(length) + " long, but " + std::to_string(bytes_.size()) + " bytes are left");
    }
    return fault_.empty() ? length : 0;
  }
  template <std::unsigned_integral Number>
  void number(Number& value) {
    if (!fault_.empty()) return;
    if (bytes_.size() < sizeof(Number)) return fail("is cut short");
    value = 0;
    for (std::size_t i = 0; i < sizeof(Number); ++i) {
      value = static_cast<Number>(value | static_cast<Number>(static_cast<unsigned char>(bytes_[i])) << (8 * i));
    }
    bytes_.remove_prefix(sizeof(Number));
  }
  void fail(const std::string& what) {
    if (fault_.empty()) fault_ = path_ + ": " + what;
  }

  std::string_view bytes_;
  std::uint64_t version_;
  std::string path_;
  std::string fault_;
};

}  // namespace azora::store
