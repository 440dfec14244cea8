#pragma once
// The output of what a name stands for, as it comes, from its last lines to its end: also when a service is
// unregistered, what its process wrote while it was stopped is still given. The output of an entry with replicas is
// that of all its instances, those that join it later included: each line is labelled, "orders@1 | text".
// R59: a line that is not finished is given after a second of silence, to followers with a trailing "…" and again whole
// when it is finished; where lines are missing a note says so (log_note.hpp).
// Threads: one at a time, any that may wait for a disk. Ownership: borrows the orchestrator, which outlives it.
// Fails: never; a closed orchestrator has no more output.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "azora/keeper/log_follower.hpp"
#include "azora/model/view.hpp"

namespace azora::orchestrator {

struct LogPiece {
  std::string text;
  bool missed = false;  // older output that would have come first was removed before it was read
};

struct LogOptions {
  std::size_t lines = 0;    // the last ones of each service
  bool follow = false;      // there is more to come: the text always ends with a line
  bool timestamps = false;  // before each line, when it began: "2026-11-30T12:00:00.000Z text"; "-": not known
};

class LogStream {
 public:
  struct Source {
    std::string id;
    std::uint64_t serial = 0;
    std::shared_ptr<const LogLossView> loss = nullptr;  // the newest one
  };
  struct World {
    std::function<std::vector<Source>()> sources;            // the services that may write more, now
    std::function<std::string(std::uint64_t serial)> folder; // where its output lies, "" as long as there is none
  };

  // `labelled`: the stream is that of an entry with replicas.
  LogStream(World world, LogOptions options, bool labelled);

  // At first the last lines, then what came since the last call.
  LogPiece next();
  // Nothing will come any more.
  bool over() const { return over_; }

 private:
  struct Follower {
    Source source;
    keeper::LogFollower log;
    std::int64_t loss_since_ms = 0;  // of the last loss that was noted
    std::uint64_t loss_lines = 0;    // as noted; kWhole: where it stands in the text
    bool over = false;
  };
  static constexpr std::uint64_t kWhole = ~std::uint64_t{0};
  void follow(const Source& source, std::size_t lines, std::size_t most_bytes);
  void append(std::string& out, Follower& one, const keeper::LogPart& part) const;
  void append_lines(std::string& out, const Follower& one, std::string_view text) const;
  void note_loss(std::string& out, Follower& one) const;

  World world_;
  LogOptions options_;
  bool labelled_;
  std::vector<Follower> followers_;
  std::string first_;
  bool begun_ = false;
  bool over_ = false;
};

}  // namespace azora::orchestrator
