#pragma once
// One service's output as it comes, from its last lines to its end: also when the service is unregistered, what
// its process said while it was stopped is still given.
// Threads: one at a time, any that may wait for a disk. Ownership: borrows the orchestrator, which outlives it.
// Fails: never; a closed orchestrator has no more output.
#include <functional>
#include <string>

#include "azora/keeper/log_reader.hpp"

namespace azora::orchestrator {

struct LogPiece {
  std::string text;
  bool missed = false;  // older output that would have come first was removed before it was read
};

class LogStream {
 public:
  // `folder` answers where the output lies, "" as long as there is none; `known` whether there may be more of it.
  LogStream(std::function<std::string()> folder, std::function<bool()> known, std::size_t lines)
      : folder_(std::move(folder)), known_(std::move(known)), first_(follower_.begin(folder_(), lines).text) {}

  // At first the last lines, then what came since the last call.
  LogPiece next();
  // Nothing will come any more.
  bool over() const { return over_; }

 private:
  std::function<std::string()> folder_;
  std::function<bool()> known_;
  keeper::LogFollower follower_;
  std::string first_;
  bool begun_ = false;
  bool over_ = false;
};

}  // namespace azora::orchestrator
