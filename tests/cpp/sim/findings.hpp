#pragma once
// What the watchers of one run found, and what happened in it, in words.
// Threads: the test's. Ownership: borrows the loop, which outlives it.
#include <string>
#include <vector>

#include "azora/base/loop.hpp"

namespace azora::orchestrator {

class Findings {
 public:
  explicit Findings(Loop& loop) : loop_(loop) {}

  // A broken promise. The first ones are kept: what follows them is their consequence.
  void found(const std::string& promise, const std::string& id, const std::string& what) {
    if (problems_.size() >= 5) return;
    const std::string when = " (at " + std::to_string(now_ms()) + " ms)";
    problems_.push_back("[" + promise + "] " + id + (id.empty() ? "" : ": ") + what + when);
  }
  // Words are kept only if they are asked for.
  void tell_story() { tells_ = true; }
  bool tells() const { return tells_; }
  void tell(const std::string& id, const std::string& what) {
    if (tells_ && story_.size() < 100'000) story_.push_back(std::to_string(now_ms()) + " " + id + " " + what);
  }
  const std::vector<std::string>& problems() const { return problems_; }
  const std::vector<std::string>& story() const { return story_; }

 private:
  std::int64_t now_ms() { return to_millis(loop_.now().steady.time_since_epoch()).count(); }

  Loop& loop_;
  bool tells_ = false;
  std::vector<std::string> problems_;
  std::vector<std::string> story_;
};

}  // namespace azora::orchestrator
