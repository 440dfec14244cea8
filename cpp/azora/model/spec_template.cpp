#include "azora/model/spec_template.hpp"

#include <array>

namespace azora {
namespace {

enum class Piece : std::uint8_t { port, index };

struct Mark {
  std::string_view text;
  Piece piece;
};

constexpr std::array<Mark, 2> kMarks{{{"{port}", Piece::port}, {"{index}", Piece::index}}};

// The placeholder at the beginning of `text`.
const Mark* mark_at(std::string_view text) {
  for (const Mark& mark : kMarks) {
    if (text.starts_with(mark.text)) return &mark;
  }
  return nullptr;
}

// The placeholder in doubled braces at the beginning of `text`.
const Mark* literal_at(std::string_view text) {
  if (!text.starts_with("{{")) return nullptr;
  const Mark* mark = mark_at(text.substr(1));
  return mark != nullptr && text.substr(1 + mark->text.size()).starts_with('}') ? mark : nullptr;
}

}  // namespace

std::string fill_in(std::string_view text, std::optional<std::uint16_t> port, int index) {
  std::string out;
  while (!text.empty()) {
    if (const Mark* literal = literal_at(text)) {
      out += literal->text;
      text.remove_prefix(literal->text.size() + 2);
    } else if (const Mark* mark = mark_at(text); mark != nullptr && (mark->piece == Piece::index || port)) {
      out += std::to_string(mark->piece == Piece::port ? int{*port} : index);
      text.remove_prefix(mark->text.size());
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

bool uses_port(std::string_view text) {
  while (!text.empty()) {
    const Mark* literal = literal_at(text);
    const Mark* mark = mark_at(text);
    if (literal == nullptr && mark != nullptr && mark->piece == Piece::port) return true;
    text.remove_prefix(literal != nullptr ? literal->text.size() + 2 : 1);
  }
  return false;
}

std::string escaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Mark* mark = mark_at(text);
    const std::size_t size = mark != nullptr ? mark->text.size() : 1;
    if (mark != nullptr) out += '{';
    out += text.substr(0, size);
    if (mark != nullptr) out += '}';
    text.remove_prefix(size);
  }
  return out;
}

}  // namespace azora
