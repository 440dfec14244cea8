#pragma once
// For `azora state check` and `azora state repair`: what is wrong with the state of a fleet that does not run, and a new
// state of what can be saved.
// Threads: the caller's. Ownership: none; the directory is locked during a call. Fails: by Result, when the directory
// cannot be opened or is in use, or when the disk fails; what is wrong with the state is no failure but a finding.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "azora/base/result.hpp"
#include "azora/base/time.hpp"
#include "azora/store/store.hpp"

namespace azora::store {

struct Finding {
  std::string file;
  std::optional<Key> key;  // the row; nullopt: the file as a whole
  std::string what;
};
// "FILE: TABLE "NAME": WHAT".
std::string words_of(const Finding& finding);

// Changes nothing. Reads the log, the structure of the file, the stamp of the last commit and every record.
// No finding: a start finds all that was committed, and its history. `now` is for the lock.
Result<std::vector<Finding>> check_state(const std::filesystem::path& folder, WallTime now);

struct Repair {
  std::vector<Finding> findings;  // what was wrong; none: nothing was done
  std::size_t saved = 0;          // rows in the new file
  std::vector<Finding> lost;      // what is not in it. Rows whose very names are gone are counted in a finding of the file
  std::vector<std::string> kept;  // the old files and their logs, under their new names
};
// Copies every row that can be read and decoded into a new file and puts it in the place of the old one, which is renamed
// (".damaged-" and the time). If the numbers that must never go back are lost, they are set anew, beyond all that can
// have been given. A history that is damaged is renamed alone: the next start begins a new one. After an
// interruption a start is refused, and the next repair goes on where it can.
Result<Repair> repair_state(const std::filesystem::path& folder, WallTime now);

}  // namespace azora::store
