#pragma once
// The words of an event that come from a closed list: why it happened (`cause`) and who caused it (`actor`). Each word
// has one row: in memory an event has the number of the row, on the wire and in a store the word itself. A word in the
// program's text without a row does not compile; a word that is read back without a row is refused.
// Threads: values. Fails: from_wire() by nullopt.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

namespace azora {

struct EventCauses {
  static constexpr std::array<std::string_view, 26> kWords = {
      "",              // not set
      "start",         // nothing happened before it
      "crash",         // the process exited by itself with a failure
      "oom",           // it was killed for want of memory
      "clean",         // it exited by itself with 0
      "liveness",      // alive, but its checks failed
      "startTimeout",  // not ready in time
      "startFailed",   // it could not be executed, or the action refused
      "lost",          // its shim vanished: how the process ended is unknown
      "operator",      // a verb
      "shutdown",      // the orchestrator stops
      "dependency",    // a dependency recovered or failed
      "evidence",      // something that may have caused the failure has changed
      "expired",       // the time of a drain or of a maintenance is over
      "health",        // checks changed its status
      "probe",         // a check was counted
      "register",      // of a registration: new
      "replace",       // of a registration: in place of an older one
      "unregister",
      "callback",      // a function of the user's
      "keeper", "store", "loop", "threads",  // the part of the orchestrator itself that is in trouble or recovered
      "overflow",      // of a gap: the reader was too slow
      "reset",         // of a gap: the place asked for is not of this log
  };
};

struct EventActors {
  static constexpr std::array<std::string_view, 5> kWords = {
      "",              // not set
      "orchestrator",  // it acted by itself
      "rest", "python", "file",
  };
};

template <typename Words>
class EventWord {
 public:
  constexpr EventWord() = default;
  // A word in the program's text.
  consteval EventWord(const char* word) : row_(row_of(word)) {  // implicit: words set the fields of an event
    if (row_ == kNone) this_word_has_no_row();
  }
  // nullopt: there is no such row.
  static constexpr std::optional<EventWord> from_wire(std::string_view word) {
    const std::size_t row = row_of(word);
    if (row == kNone) return std::nullopt;
    return EventWord(static_cast<std::uint8_t>(row), 0);
  }

  constexpr std::string_view wire_name() const { return Words::kWords[row_]; }
  constexpr operator std::string_view() const { return wire_name(); }
  constexpr bool empty() const { return row_ == 0; }
  friend constexpr bool operator==(EventWord, EventWord) = default;
  template <typename String>
    requires(std::is_convertible_v<const String&, std::string_view> && !std::is_same_v<String, EventWord>)
  friend constexpr bool operator==(EventWord a, const String& b) {
    return a.wire_name() == std::string_view(b);
  }

 private:
  static constexpr std::uint8_t kNone = 255;

  constexpr EventWord(std::uint8_t row, int) : row_(row) {}
  static constexpr std::uint8_t row_of(std::string_view word) {
    for (std::size_t i = 0; i < Words::kWords.size(); ++i) {
      if (Words::kWords[i] == word) return static_cast<std::uint8_t>(i);
    }
    return kNone;
  }
  static void this_word_has_no_row() {}  // never called: its name appears in the compiler's error

  std::uint8_t row_ = 0;
};

using EventCause = EventWord<EventCauses>;
using EventActor = EventWord<EventActors>;

}  // namespace azora
