#pragma once
// When a check that may reuse its connection is nevertheless made by a new one: the first, the one after a failure,
// and every fifth. A service that takes no new connections is failing, however well the old ones are served.
// Threads: one at a time. Fails: never.
#include <cstdint>

namespace azora::health {

class ReuseCount {
 public:
  static constexpr std::uint8_t kChecksPerConnection = 5;

  // A check begins on a new connection.
  void renewed() { served_ = 0; }
  // Call when the check was answered; `good`: with a status below 300. True: the connection may serve the next one.
  bool keep_after(bool good) { return ++served_ < kChecksPerConnection && good; }
  // The next check uses a new connection in any case.
  void spoil() { served_ = kChecksPerConnection; }
  // The next check is the last one on its connection.
  bool last() const { return served_ + 1 >= kChecksPerConnection; }
  bool spent() const { return served_ >= kChecksPerConnection || served_ == 0; }

 private:
  std::uint8_t served_ = 0;  // checks by the present connection
};

}  // namespace azora::health
