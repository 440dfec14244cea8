#pragma once
// The output of what a name stands for, as it comes, from its last lines to its end. What a process wrote while it was
// stopped is still given after its service is unregistered. The output of an entry with replicas is the output of all
// its instances, also of instances that are added later; each line is labelled, "orders@1 | text".
// R59: an unfinished line is given after a second of silence. Followers get it with a trailing "…", and again as a
// whole when it is finished. Where lines are missing, a note says so (log_note.hpp), on a line of its own.
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

struct LogOptions {
  std::size_t lines = 0;    // so many last lines of each service
  bool follow = false;      // more will come, so the text always ends with a line
  bool timestamps = false;  // before each line the time it began: "2026-11-30T12:00:00.000Z text"; "-": not known
  std::string notes;        // the token by which the reader tells our notes from the service's lines; "": none
};

class LogStream {
 public:
  struct Source {
    std::string id;
    std::uint64_t serial = 0;
    std::shared_ptr<const LogLossView> loss = nullptr;  // the newest loss
  };
  struct World {
    std::function<std::vector<Source>()> sources;            // the services that may still write
    std::function<std::string(std::uint64_t serial)> folder; // of its output; "": it has none yet
  };

  // `labelled`: the name is an entry with replicas.
  LogStream(World world, LogOptions options, bool labelled);

  // The first call returns the last lines, each later call what was written since.
  std::string next();
  // To be called when a log file appears: it is given even if it is gone again before next() is called.
  void hold_new();
  // True: no more output will come.
  bool over() const { return over_; }
  // Where it reads now. A folder may not be there yet; an instance that was not launched yet has none.
  std::vector<std::string> folders() const;
  // Whether something that its files do not show is new: a loss, an instance, the end of a service. Reads no file.
  bool changed() const;

 private:
  struct Follower {
    Source source;
    keeper::LogFollower log;
    std::int64_t loss_since_ms = 0;  // when the last noted loss began
    std::uint64_t loss_lines = 0;    // its lines as noted; kWhole: its place in the text has a note
    keeper::LogLoss gap;             // the last one that has a note: one before an unfinished line comes again with it
    bool over = false;
  };
  static constexpr std::uint64_t kWhole = ~std::uint64_t{0};
  void follow(const Source& source, std::size_t lines, std::size_t most_bytes);
  void read_on(std::string& piece);
  void append(std::string& out, Follower& one, const keeper::LogPart& part) const;
  void append_text(std::string& out, Follower& one, std::string_view text, const std::vector<keeper::LogGap>& gaps) const;
  void append_lines(std::string& out, const Follower& one, std::string_view text) const;
  void note_loss(std::string& out, Follower& one) const;
  void append_note(std::string& out, std::string_view note) const;
  std::string note_start_of(const Follower& one) const;

  World world_;
  LogOptions options_;
  bool labelled_;
  std::vector<Follower> followers_;
  std::string first_;
  bool begun_ = false;
  bool in_line_ = false;  // what was given so far does not end with a line
  bool over_ = false;
};

}  // namespace azora::orchestrator
