#pragma once
// Records with every row filled at random, walked by the list of rows itself: a new row is filled without a word here.
// Threads: the test's. Ownership: borrows the generator.
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "azora/store/record_rows.hpp"
#include "azora/store/record_words.hpp"

namespace azora::store {

class RandomFields {
 public:
  explicit RandomFields(std::mt19937_64& random) : random_(random) {}

  template <typename Field>
  void operator()(std::string_view, Field& field) {
    fill(field);
  }

  void fill(bool& field) { field = below(2) == 1; }
  template <std::integral Number>
  void fill(Number& field) {
    constexpr Number kExtremes[] = {0, 1, std::numeric_limits<Number>::max(), std::numeric_limits<Number>::min()};
    field = below(4) == 0 ? kExtremes[below(4)] : static_cast<Number>(random_());
  }
  void fill(Nanos& field) { field = Nanos(static_cast<std::int64_t>(random_() >> 3) - (std::int64_t{1} << 60)); }
  void fill(WallTime& field) { field.ms = static_cast<std::int64_t>(random_() >> 20); }
  void fill(std::string& field) {
    field.resize(below(40));
    for (char& one : field) one = static_cast<char>(random_());
  }
  template <Word Enum>
  void fill(Enum& field) {
    field = static_cast<Enum>(below(words_of(field).size()));
  }
  template <typename Field>
  void fill(std::optional<Field>& field) {
    field.reset();
    if (below(3) != 0) fill(field.emplace());
  }
  template <typename Field>
  void fill(std::vector<Field>& field) {
    field.resize(below(6));
    for (Field& one : field) fill(one);
  }
  template <typename Record>
    requires requires(Record& record, RandomFields& fields) { rows(record, fields); }
  void fill(Record& record) {
    rows(record, *this);
  }

 private:
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  std::mt19937_64& random_;
};

template <typename Record>
Record random_record(std::mt19937_64& random) {
  Record record;
  RandomFields(random).fill(record);
  return record;
}

}  // namespace azora::store
