#include "azora/model/spec_suggest.hpp"

#include <algorithm>
#include <vector>

#include "azora/model/spec_check.hpp"

namespace azora {
namespace {

constexpr std::size_t kLongestKey = 64;  // a longer one is not compared

// Letters alone, lower case, without Python's unit suffix: "health_check_interval_ms" is
// "healthCheckInterval" in another spelling.
std::string folded(std::string_view key) {
  for (const std::string_view suffix : {"_ms", "_bytes"}) {
    if (key.ends_with(suffix)) key.remove_suffix(suffix.size());
  }
  std::string letters;
  for (const char c : key) {
    if (c == '_' || c == '-') continue;
    letters += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return letters;
}

struct Nearest {
  const FieldRow* row = nullptr;
  std::size_t distance = 0;
};

Nearest nearest_field(std::span<const FieldRow> rows, const std::string& key) {
  Nearest best;
  for (const FieldRow& row : rows) {
    if (!row.available) continue;
    const std::size_t distance = edit_distance(key, folded(row.name));
    const std::size_t limit = std::max<std::size_t>(1, row.name.size() / 3);
    if (distance <= limit && (!best.row || distance < best.distance)) best = {&row, distance};
  }
  return best;
}

std::string known_fields(Section section) {
  std::string names;
  for (const FieldRow& row : fields_of(section)) {
    if (!row.available) continue;
    if (!names.empty()) names += ", ";
    names += row.name;
  }
  return names;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  const std::size_t width = b.size() + 1;
  std::vector<std::size_t> before(width);  // `before`: two rows back, `last`: one row back, `row`: this row
  std::vector<std::size_t> last(width);
  std::vector<std::size_t> row(width);
  for (std::size_t j = 0; j < width; ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before, last);
    std::swap(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replace});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

std::string unknown_field_message(Section section, std::string_view key) {
  const std::string letters = key.size() <= kLongestKey ? folded(key) : std::string();
  const Nearest near = nearest_field(fields_of(section), letters);
  if (near.row && near.distance <= 1) {
    return "is not a known field; did you mean \"" + std::string(near.row->name) + "\"?";
  }
  for (const FieldRow& row : all_fields()) {  // a known name in the wrong object
    if (row.section != section && row.section != Section::restart && row.available &&
        folded(row.name) == letters) {
      return "is not a known field here; did you mean \"" +
             join_path(section_path(row.section), row.name) + "\"" +
             (row.section == Section::service ? " of the service itself?" : "?");
    }
  }
  if (near.row)
    return "is not a known field; did you mean \"" + std::string(near.row->name) + "\"?";
  return "is not a known field; the fields here are " + known_fields(section);
}

}  // namespace azora
