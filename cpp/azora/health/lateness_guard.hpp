#pragma once
// Notices when our own loop was held up (a stopped process, a suspended machine, a starved CPU): what probes said in
// that span says nothing about the services. A span longer than max(1 s, interval/2) voids the results of every probe
// that was open in it.
// Threads: the control thread. Fails: never.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "azora/base/time.hpp"

namespace azora::health {

class LatenessGuard {
 public:
  static Nanos tolerance(Millis interval) {
    return std::max<Nanos>(std::chrono::seconds(1), Nanos(interval) / 2);
  }

  // Something that was due at `expected` happened at `now`.
  void observe(SteadyTime expected, SteadyTime now) {
    const Nanos late = now - expected;
    worst_ = std::max(worst_, late);
    if (late <= std::chrono::seconds(1)) return;  // within every tolerance
    ++stalls_;
    spans_[next_] = Span{expected, now};
    next_ = (next_ + 1) % spans_.size();
  }

  // Whether a result decides nothing. A probe that outlasted its own deadline by more than the tolerance is
  // such a span by itself: the prober answers at the deadline unless it was held up.
  bool is_void(SteadyTime begun, SteadyTime ended, Millis timeout, Millis interval) const {
    const Nanos allowed = tolerance(interval);
    if (ended - begun > Nanos(timeout) + allowed) return true;
    return std::any_of(spans_.begin(), spans_.end(), [&](const Span& span) {
      return span.end - span.begin > allowed && begun < span.end && ended > span.begin;
    });
  }

  std::uint64_t stalls() const { return stalls_; }  // spans above one second
  Nanos worst() const { return worst_; }

 private:
  struct Span {
    SteadyTime begin{};
    SteadyTime end{};
  };
  // A probe lives at most one timeout; more stalls than this within it are one long one.
  std::array<Span, 16> spans_{};
  std::size_t next_ = 0;
  std::uint64_t stalls_ = 0;
  Nanos worst_{0};
};

}  // namespace azora::health
