#include "azora/orchestrator/log_note.hpp"

#include <array>
#include <cstdio>
#include <utility>

#include "azora/keeper/system_words.hpp"
#include "azora/model/iso_time.hpp"

namespace azora::orchestrator {
namespace {

std::string size_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 3> kUnits = {"kB", "MB", "GB"};
  if (bytes < 1000) return std::to_string(bytes) + " B";
  double size = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  for (; size >= 999.95 && unit + 1 < kUnits.size(); ++unit) size /= 1000;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", size, kUnits[unit]);
  return text.data();
}

std::string note(std::string text, std::uint64_t lines, std::uint64_t bytes, std::string_view where) {
  text += std::to_string(lines) + (lines == 1 ? " line (" : " lines (") + size_text(bytes) + ") of this output ";
  text += lines == 1 ? "was lost" : "were lost";
  return text.append(where).append(": ");
}

}  // namespace

std::string note_start(std::string_view token) {
  return std::string("[azora").append(token.empty() ? "" : " ").append(token).append(": ");
}

std::string gap_note(std::string start, const keeper::LogGap& gap) {
  std::string text = note(std::move(start), gap.loss.lines, gap.loss.bytes, " here");
  text += keeper::loss_words(gap.loss.error) + " (" + iso_time({gap.loss.since_wall_ms});
  if (gap.until_wall_ms > 0) text += " to " + iso_time({gap.until_wall_ms});
  return text + ")]\n";
}

std::string missed_note(std::string start) { return start + "output was removed here before it could be shown]\n"; }

std::string loss_note(std::string start, const LogLossView& loss) {
  return note(std::move(start), loss.lines, loss.bytes, "") + loss.reason + " (since " + iso_time(loss.since) + ")]\n";
}

}  // namespace azora::orchestrator
