#pragma once
// One way of asking: over plain sockets, over TLS, ... A lane starts probes and says how each one ended; deadlines,
// names, batches and results belong to the worker (probe_worker.hpp), which finds the lane of a target in the table
// (lanes/table.hpp). A new lane is one file and one row there.
// Threads: the net thread. Ownership: a lane owns its descriptors; they are closed at the latest with it.
// Fails: every start() is followed by one on_end(), unless cancel() or forget() came first.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "azora/base/time.hpp"
#include "azora/health/check_key.hpp"
#include "azora/health/prober.hpp"
#include "azora/health/prober_counters.hpp"
#include "azora/net/address.hpp"

namespace azora::health {

// How one probe ended.
struct ProbeEnd {
  Outcome outcome = Outcome::cancelled;
  int http_status = 0;
  Nanos latency{0};
  std::string error{};
  std::shared_ptr<const std::string> cpu{};
  std::shared_ptr<const std::string> memory{};
};

class Lane {
 public:
  using Slot = CheckKey::Slot;
  using Clock = SteadyTime (*)();

  // The worker, as a lane sees it.
  class Host {
   public:
    virtual void on_end(Slot slot, ProbeEnd end) = 0;
    // Looks up the host of the open probe; addresses() follows, now or later, or the probe is cancelled.
    virtual void need_addresses(Slot slot) = 0;
    // Many questions are asked in this round, and their answers will be looked for together, by look().
    virtual bool gathers() const = 0;

   protected:
    ~Host() = default;
  };

  struct World {
    int epoll_fd = -1;
    std::uint64_t event_tag = 0;  // to be or-ed into the data of every descriptor in epoll_fd
    std::size_t max_idle = 0;     // connections that may be kept between checks
    Clock clock = nullptr;
    Host* host = nullptr;
    ProberCounters* counters = nullptr;
  };
  static constexpr int kTagShift = 56;  // the bits below belong to the lane

  virtual ~Lane() = default;

  virtual void start(Slot slot, const std::shared_ptr<const ProbeTarget>& target) = 0;
  // Ends the open probe, if there is one, without on_end().
  virtual void cancel(Slot slot) = 0;
  // Drops everything that belongs to a target.
  virtual void forget(Slot slot) = 0;

  // What only lanes with descriptors or deadlines of their own need.
  // Hands the lane the addresses that it needs: it empties `found`, or takes what `found` holds.
  virtual void addresses(Slot, std::vector<net::Address>& found) { found.clear(); }
  virtual void on_event(std::uint64_t data, std::uint32_t events, SteadyTime now) {
    static_cast<void>(data), static_cast<void>(events), static_cast<void>(now);
  }
  virtual void look(SteadyTime) {}
  virtual std::optional<SteadyTime> next() const { return std::nullopt; }
  virtual void advance(SteadyTime) {}
  // For the message of a timeout: whether the open probe has got as far as a connection.
  virtual bool connected(Slot) const { return true; }
};

}  // namespace azora::health
