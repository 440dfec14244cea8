#pragma once
// Prober over real sockets: http:// and tcp:// on our own epoll set, https:// on curl (lanes/table.hpp), names
// resolved off-thread, all on one thread of its own, `az-net`. It follows no redirect, asks for no
// encoding, trusts no byte that it receives (http_response.hpp) and never probes link-local or metadata addresses.
// What was asked in one ask() is sent in one wake-up; what arrived in one wake-up is handed over in one post.
// Threads: start(), stop(), ask() and forget() the control thread; counters() any thread.
// Ownership: borrows the control loop, which outlives it. Once destroyed, its sink is not called any more.
// Fails: start() says why; without descriptors for a check its result is `overloaded`.
#include <memory>
#include <span>

#include "azora/base/loop.hpp"
#include "azora/base/result.hpp"
#include "azora/health/lanes/table.hpp"
#include "azora/health/prober.hpp"
#include "azora/health/prober_counters.hpp"
#include "azora/net/resolver.hpp"

namespace azora::health {

struct NetProberOptions {
  // Descriptors the process may have; at most half of them hold idle connections. 0: asked of the kernel.
  std::size_t fd_limit = 0;
  net::Resolver::Options resolver;  // its `died` is called for the prober's own thread, too
  std::span<const LaneRow> lanes = lane_table();
};

class NetProber : public Prober {
 public:
  explicit NetProber(Loop& control, NetProberOptions options = {});
  ~NetProber() override;
  NetProber(const NetProber&) = delete;
  NetProber& operator=(const NetProber&) = delete;

  Result<void> start();
  // Answers all open probes with `cancelled`, then joins the thread. Later asks are answered so, too. Idempotent.
  void stop();

  void set_sink(Sink sink) override;
  void ask(std::vector<ProbeRequest>& batch) override;
  void forget(CheckKey check) override;

  ProberCounts counters() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace azora::health
