#pragma once
// The notes that readers of a log get between the lines of a service: "[azora: 120 lines (4.1 kB) of this output were
// lost here: No space left on device (2026-11-30T12:00:00.000Z to 2026-11-30T12:00:09.000Z)]". Each note is a line of
// its own that begins with note_start(), and has the id of the instance if there may be several.
// A service may write lines that look like notes. A reader that must tell them apart gives a token that no service can
// know, and each note then begins with "[azora TOKEN: ".
// Threads: any; pure. Fails: never.
#include <cstdint>
#include <string>
#include <string_view>

#include "azora/keeper/log_text.hpp"
#include "azora/model/view.hpp"

namespace azora::orchestrator {

// `token`: "" if the reader gave none.
std::string note_start(std::string_view token);

// What notes begin with: note_start(), and the id of the service if there may be several.
// Lines are missing at the place of this note.
std::string gap_note(std::string start, const keeper::LogGap& gap);
// Lines are being lost now, and the log has no place yet where a note could say so.
std::string loss_note(std::string start, const LogLossView& loss);
// Older output was removed before it could be read.
std::string missed_note(std::string start);

}  // namespace azora::orchestrator
