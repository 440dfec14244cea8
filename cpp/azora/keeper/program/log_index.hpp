#pragma once
// Writes the index of one log file (log_mark.hpp): at what time each part of the text was taken, and what was lost
// before it. Marks are written before their text, so that no line is ever shown with the time of an older one.
// Threads: the program has one. Fails: quietly; what was not marked is marked as not known once there is room.
#include <cstddef>
#include <cstdint>

#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

class LogIndex {
 public:
  // Opens the index of log.`number`, which has `text_size` bytes; empties an index whose text is not there.
  void open(std::uint64_t number, std::uint64_t text_size);
  void close();
  // The text was emptied.
  void clear();
  // `loss`: nullptr, or what was lost right before it. Lines that came within the same ms share a mark.
  void mark(std::uint64_t offset, std::int64_t at_ms, const LogLoss* loss);
  std::uint64_t size() const { return size_; }

 private:
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};
  void open_file(bool empty);

  int fd_ = -1;
  std::uint64_t number_ = 0;
  std::uint64_t size_ = 0;
  std::int64_t last_ms_ = -1;           // of the last mark
  std::uint64_t unmarked_from_ = kNone;  // from here on the time is not known
  LogLoss pending_;                     // not marked yet
  std::uint64_t pending_at_ = 0;
};

}  // namespace azora::keeper
