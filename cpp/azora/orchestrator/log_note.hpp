#pragma once
// What readers of logs are told in between the lines of a service: "[azora: 120 lines (4.1 kB) of this output were lost
// here: No space left on device (2026-11-30T12:00:00.000Z to 2026-11-30T12:00:09.000Z)]". Each is a line of its own
// that begins with kNoteStart, with the id of the instance where there may be several.
// Threads: any; pure. Fails: never.
#include <cstdint>
#include <string>
#include <string_view>

#include "azora/keeper/log_text.hpp"
#include "azora/model/view.hpp"

namespace azora::orchestrator {

inline constexpr std::string_view kNoteStart = "[azora: ";

// Lines are missing where it stands. `id`: "" for the only service there is.
std::string gap_note(std::string_view id, const keeper::LogGap& gap);
// Lines are being lost, and there is no place yet to say so.
std::string loss_note(std::string_view id, const LogLossView& loss);

}  // namespace azora::orchestrator
