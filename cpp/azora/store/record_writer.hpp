#pragma once
// From fields to bytes: numbers little-endian with a fixed width, strings and lists after their length, enum values by
// their wire name. So a later change of an enum's numbers does not change what is stored.
// Threads: the caller's. Ownership: its bytes. Fails: never.
#include <bit>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "azora/store/record_rows.hpp"
#include "azora/store/record_words.hpp"

namespace azora::store {

class RecordWriter {
 public:
  template <typename Field>
  void operator()(std::string_view, const Field& field) {
    write(field);
  }
  std::string take() { return std::move(bytes_); }

  void write(bool field) { number(static_cast<std::uint8_t>(field)); }
  void write(std::integral auto field) { number(static_cast<std::make_unsigned_t<decltype(field)>>(field)); }
  void write(Nanos field) { write(static_cast<std::int64_t>(field.count())); }
  void write(WallTime field) { write(field.ms); }
  void write(const std::string& field) {
    number(static_cast<std::uint32_t>(field.size()));
    bytes_ += field;
  }
  void write(Word auto field) { write(std::string(words_of(field)[static_cast<std::size_t>(field)])); }
  template <typename Field>
  void write(const std::optional<Field>& field) {
    write(field.has_value());
    if (field) write(*field);
  }
  template <typename Field>
  void write(const std::vector<Field>& field) {
    number(static_cast<std::uint32_t>(field.size()));
    for (const Field& one : field) write(one);
  }
  template <typename Record>
    requires requires(const Record& record, RecordWriter& writer) { rows(record, writer); }
  void write(const Record& record) {
    rows(record, *this);
  }

 private:
  template <std::unsigned_integral Number>
  void number(Number value) {
    for (std::size_t i = 0; i < sizeof(Number); ++i) bytes_.push_back(static_cast<char>(value >> (8 * i) & 0xff));
  }

  std::string bytes_;
};

}  // namespace azora::store
