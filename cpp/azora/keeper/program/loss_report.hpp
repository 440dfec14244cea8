#pragma once
// When the keeper is to be told that output was lost: at once, and then at most once a second while more is lost. Time
// is given (steady, in nanoseconds).
// Threads: the program has one. Fails: never.
#include <cstdint>

#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

class LossReport {
 public:
  static constexpr std::int64_t kEveryNs = 1'000'000'000;

  // It has not been reported as it is.
  bool is_new(const LogLoss& loss) const { return loss != reported_; }
  // Not before this; 0: at any time.
  std::int64_t next_at_ns() const { return next_at_ns_; }
  // True: `loss` is to be reported now, and counts as reported from here on.
  bool take(const LogLoss& loss, std::int64_t now_ns) {
    if (!is_new(loss) || now_ns < next_at_ns_) return false;
    reported_ = loss;
    next_at_ns_ = now_ns + kEveryNs;
    return true;
  }

 private:
  LogLoss reported_;
  std::int64_t next_at_ns_ = 0;
};

}  // namespace azora::keeper
