#include "azora/model/service_name.hpp"

#include <algorithm>
#include <charconv>

#include "azora/model/spec_fields.hpp"

namespace azora {
namespace {

constexpr char kSeparator = '@';

}  // namespace

std::string instance_id(std::string_view entry, int index) {
  return std::string(entry) + kSeparator + std::to_string(index);
}

std::optional<int> instance_index(std::string_view id) {
  const std::size_t at = id.find(kSeparator);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view digits = id.substr(at + 1);
  const bool canonical = !digits.empty() && digits.size() <= 4 && (digits.front() != '0' || digits.size() == 1) &&
                         std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!canonical) return std::nullopt;
  int index = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), index);
  return index;
}

std::string_view entry_of(std::string_view id) {
  return instance_index(id) ? id.substr(0, id.find(kSeparator)) : id;
}

bool is_service_id(std::string_view text) { return is_word(entry_of(text)); }

bool names_service(std::string_view name, std::string_view id) {
  if (!id.starts_with(name)) return false;
  return id.size() == name.size() || (id[name.size()] == kSeparator && entry_of(id) == name);
}

}  // namespace azora
