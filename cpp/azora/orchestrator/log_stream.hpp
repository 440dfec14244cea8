#pragma once
// The output of what a name stands for, as it comes, from its last lines to its end: also when a service is
// unregistered, what its process wrote while it was stopped is still given. The output of an entry with replicas is
// that of all its instances, those that join it later included: each line is labelled, "orders@1 | text".
// Threads: one at a time, any that may wait for a disk. Ownership: borrows the orchestrator, which outlives it.
// Fails: never; a closed orchestrator has no more output.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "azora/keeper/log_reader.hpp"

namespace azora::orchestrator {

struct LogPiece {
  std::string text;
  bool missed = false;  // older output that would have come first was removed before it was read
};

class LogStream {
 public:
  struct Source {
    std::string id;
    std::uint64_t serial = 0;
  };
  struct World {
    std::function<std::vector<Source>()> sources;            // the services that may write more, now
    std::function<std::string(std::uint64_t serial)> folder; // where its output lies, "" as long as there is none
  };

  // `lines`: the last ones of each service. `labelled`: the stream is that of an entry with replicas.
  LogStream(World world, std::size_t lines, bool labelled);

  // At first the last lines, then what came since the last call.
  LogPiece next();
  // Nothing will come any more.
  bool over() const { return over_; }

 private:
  struct Follower {
    Source source;
    keeper::LogFollower log;
    bool over = false;
  };
  void follow(const Source& source, std::size_t lines, std::size_t most_bytes);
  void append(std::string& out, const Source& source, const std::string& text) const;

  World world_;
  bool labelled_;
  std::vector<Follower> followers_;
  std::string first_;
  bool begun_ = false;
  bool over_ = false;
};

}  // namespace azora::orchestrator
