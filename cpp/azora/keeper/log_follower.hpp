#pragma once
// Goes through the output of one service to its very end. It keeps the file open that it reads, and those behind it
// that hold_new() has seen, so that the last lines of a file are given even when it was rotated away, removed or
// replaced, or its folder was removed.
// Threads: one at a time. Ownership: the open files, whose room on the disk is not free before they are read.
// Fails: never.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "azora/keeper/log_reader.hpp"

namespace azora::keeper {

class LogFollower {
 public:
  static constexpr std::size_t kMostHeld = 8;  // files

  explicit LogFollower(bool timestamps = false) : timestamps_(timestamps) {}

  // The last `lines` lines as far as they fit, an unfinished one included; next() goes on behind the whole ones.
  LogPart begin(const std::string& folder, std::size_t lines, std::size_t max_bytes = LogReader::kMostBytes);
  // Returns what came since. The folder may not be there yet. `unfinished` is given once, when nothing came behind it
  // since the last call, and again when it has grown.
  LogPart next(const std::string& folder);
  // Opens the files that were begun since the last call, at most kMostHeld in all. To be called when a file appears: one
  // that comes and goes between two calls of next() is read then all the same.
  void hold_new(const std::string& folder);
  // The folder is gone, and all that it held was given.
  bool ended() const { return ended_; }

 private:
  struct Held {
    std::uint64_t number = 0;
    Fd file;
    Fd index;  // beside it
  };
  bool finish_files(const std::string& folder, LogText& text, bool& missed);
  void keep_rest(const Held& one, std::string_view bytes);
  void hold_back_unfinished(LogPart& part);
  void hold(const std::string& folder);

  bool timestamps_;
  LogCursor at_;
  std::vector<Held> held_;          // at_.file, and those that came behind it
  std::string rest_;               // of a file that is gone: a piece of a line
  std::vector<LogGap> rest_gaps_;  // in it
  std::string seen_;               // unfinished, at the last call
  std::string given_;
  bool missed_ = false;            // files are missing before what next() gives
  bool is_full_ = false;           // another file was written after the one that was held last
  bool ended_ = false;
};

}  // namespace azora::keeper
