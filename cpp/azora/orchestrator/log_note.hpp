#pragma once
// The notes that readers of a log get between the lines of a service: "[azora: 120 lines (4.1 kB) of this output were
// lost here: No space left on device (2026-11-30T12:00:00.000Z to 2026-11-30T12:00:09.000Z)]". Each note is a line of
// its own that begins with kNoteStart, and has the id of the instance if there may be several.
// Threads: any; pure. Fails: never.
#include <cstdint>
#include <string>
#include <string_view>

#include "azora/keeper/log_text.hpp"
#include "azora/model/view.hpp"

namespace azora::orchestrator {

inline constexpr std::string_view kNoteStart = "[azora: ";

// Lines are missing at the place of this note. `id`: "" if there is only one service.
std::string gap_note(std::string_view id, const keeper::LogGap& gap);
// Lines are being lost now, and the log has no place yet where a note could say so.
std::string loss_note(std::string_view id, const LogLossView& loss);

}  // namespace azora::orchestrator
