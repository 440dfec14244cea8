#include "azora/healing/transitions.hpp"

#include <algorithm>

namespace azora::healing {
namespace {

using Cells = std::array<std::array<LifecycleSet, kLifecycleCount>, kRowNames.size()>;

// Not constexpr: a call of it in a constant expression is how the compiler reports a fault in a drawing.
void fault_in_the_drawing() {}

constexpr Lifecycle lifecycle_of(char letter) {
  for (int i = 0; i < kLifecycleCount; ++i) {
    if (letter_of(static_cast<Lifecycle>(i)) == letter) return static_cast<Lifecycle>(i);
  }
  fault_in_the_drawing();
  return Lifecycle::watching;
}

// Takes the next word of `text` up to a blank; empty at its end.
constexpr std::string_view next_word(std::string_view& text) {
  const std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
  const std::size_t end = std::min(text.find(' ', begin), text.size());
  const std::string_view word = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return word;
}

constexpr std::string_view next_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

constexpr LifecycleSet parse_cell(std::string_view word) {
  LifecycleSet next;
  if (word == "nop") return next;
  if (word.empty()) fault_in_the_drawing();
  for (const char letter : word) next.insert(lifecycle_of(letter));
  return next;
}

constexpr Cells parse(std::string_view drawing) {
  Cells cells{};
  next_line(drawing);
  std::array<Lifecycle, kLifecycleCount> columns{};
  std::size_t count = 0;
  std::string_view head = next_line(drawing);
  for (std::string_view name = next_word(head); !name.empty(); name = next_word(head)) {
    const auto capital = std::find_if(name.begin(), name.end(), [](char one) { return one >= 'A' && one <= 'Z'; });
    columns[count++] = lifecycle_of(*capital);
  }
  for (std::size_t row = 0; row < cells.size(); ++row) {
    std::string_view line = next_line(drawing);
    if (next_word(line) != kRowNames[row]) fault_in_the_drawing();
    for (std::size_t column = 0; column < count; ++column) {
      cells[row][static_cast<std::size_t>(columns[column])] = parse_cell(next_word(line));
    }
    if (!next_word(line).empty()) fault_in_the_drawing();
  }
  if (!drawing.empty()) fault_in_the_drawing();
  return cells;
}

constexpr Cells kOwned = parse(kOwnedTable);
constexpr Cells kNotOwned = parse(kNotOwnedTable);

}  // namespace

Row row_of(const Input& input) {
  using Kind = Input::Kind;
  switch (input.kind) {
    case Kind::desire:
      return input.desired == Desired::up ? Row::desire_up : input.desired == Desired::hold ? Row::desire_hold : Row::desire_down;
    case Kind::restart: return input.cause == Cause::dependency ? Row::restart_along : Row::restart;
    case Kind::deps: return input.flag ? Row::deps_ok : Row::deps_lost;
    case Kind::admitted: return Row::admitted;
    case Kind::slot_expired: return Row::slot_expired;
    case Kind::launched: return Row::launched;
    case Kind::launch_failed: return Row::launch_failed;
    case Kind::exited: return Row::exited;
    case Kind::swept: return Row::swept;
    case Kind::lost: return Row::lost;
    case Kind::adopted: return Row::adopted;
    case Kind::ready: return Row::ready;
    case Kind::passed: return Row::passed;
    case Kind::faltered: return Row::faltered;
    case Kind::liveness_failed: return Row::liveness_failed;
    case Kind::permitted: return Row::permitted;
    case Kind::timer: return Row::timer;
    case Kind::evidence: return Row::evidence;
    case Kind::plan_changed: return Row::plan_changed;
    case Kind::checks_anew: return Row::checks_anew;
  }
  return Row::timer;
}

LifecycleSet cell(bool owned, Lifecycle from, Row row) {
  return (owned ? kOwned : kNotOwned)[static_cast<std::size_t>(row)][static_cast<std::size_t>(from)];
}

bool follows(const Plan& plan, Lifecycle from, const Input& input, Lifecycle to) {
  return from == to || cell(plan.owned(), from, row_of(input)).contains(to);
}

}  // namespace azora::healing
