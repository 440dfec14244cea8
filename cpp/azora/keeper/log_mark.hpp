#pragma once
// The index beside each log file, log.N.times: what the shim knows of a line and the plain text does not say. It is a
// row of marks of 16 bytes in the order of the text. A mark is valid from its offset in log.N on; of several marks of
// one kind at one offset the last is valid. It is never larger than the file may become (at least kLeastIndex).
// The four marks of a loss stand together, before the line that was written next: lines are missing there.
// Compiled into the static program, too: no allocation. Threads: any; no state.
#include <cstddef>
#include <cstdint>

namespace azora::keeper {

// In the mode of a log file behind which another one was begun: the sticky bit, which means nothing for a file.
inline constexpr unsigned kFullLogMark = 01000;
inline constexpr char kTimesSuffix[] = ".times";
inline constexpr std::uint64_t kLeastIndex = 4096;  // bytes

enum class MarkKind : std::uint8_t {
  time = 0,        // ms since 1970 at which the shim took what begins here; 0: not known
  lost_lines = 1,
  lost_bytes = 2,
  lost_since = 3,  // ms since 1970
  lost_error = 4,  // errno; 0: the disk was too slow
};

// As it lies in the file, in the machine's own byte order: it is never read on another one.
struct LogMark {
  std::uint64_t place = 0;
  std::int64_t value = 0;

  static constexpr LogMark make(MarkKind kind, std::uint64_t offset, std::int64_t value) {
    return {offset | static_cast<std::uint64_t>(kind) << kKindShift, value};
  }
  constexpr MarkKind kind() const { return static_cast<MarkKind>(place >> kKindShift); }
  constexpr std::uint64_t offset() const { return place & ((std::uint64_t{1} << kKindShift) - 1); }

 private:
  static constexpr int kKindShift = 56;
};
static_assert(sizeof(LogMark) == 16);

}  // namespace azora::keeper
