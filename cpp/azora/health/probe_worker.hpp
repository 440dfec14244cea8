#pragma once
// The world of the net thread: one epoll set, one wheel of deadlines, the lanes that ask (sockets, https),
// the resolver. Takes commands in batches and hands results over in batches, one hand-over per wake-up.
// Threads: run() is the net thread's body; push() and stop() any thread; all else the net thread.
// Fails: never; every ask is answered exactly once, the open ones with `cancelled` when run() ends.
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "azora/base/mutex.hpp"
#include "azora/base/serial_map.hpp"
#include "azora/health/socket_probes.hpp"
#include "azora/health/timer_wheel.hpp"
#include "azora/base/fd.hpp"
#include "azora/net/https_client.hpp"
#include "azora/net/resolver.hpp"

namespace azora::health {

struct ProbeCommand {
  ProbeRequest request;  // to ask; or, without target, the serial to forget
};

class ProbeWorker : private SocketProbes::Owner {
 public:
  struct Options {
    std::size_t max_idle = 0;  // kept connections
    net::Resolver::Options resolver;
    SocketProbes::Clock clock = nullptr;
  };
  using Deliver = std::function<void(std::vector<ProbeResult>)>;  // on the net thread

  ProbeWorker(Options options, Deliver deliver, ProberCounters& counters);
  ~ProbeWorker() = default;
  ProbeWorker(const ProbeWorker&) = delete;
  ProbeWorker& operator=(const ProbeWorker&) = delete;

  // False: the system gave us no descriptors to work with.
  bool ready() const { return registered_; }
  void push(std::vector<ProbeCommand> commands);
  // Carries out what was pushed, cancels what is open and makes run() return.
  void stop();
  void run();

 private:
  using Slot = SocketProbes::Slot;
  enum class Lane : std::uint8_t { none, sockets, https };

  // One service that was asked about since it was last forgotten.
  struct Peer {
    std::uint64_t serial = 0;
    std::uint64_t incarnation = 0;
    std::uint64_t generation = 0;
    std::shared_ptr<const ProbeTarget> target;
    Lane lane = Lane::none;
    bool open = false;
    bool resolving = false;
    bool stale_name = false;  // asked at an address that could not be looked up again
  };

  void on_end(Slot slot, ProbeEnd end) override;
  void on_need_addresses(Slot slot) override;

  void wait();
  void let_answers_gather();
  bool results_due() const;
  int wait_timeout() const;
  void take_commands();
  void run_commands(std::size_t limit);
  void ask(ProbeRequest request);
  void forget(std::uint64_t serial);
  Slot slot_for(std::uint64_t serial);
  void enter_lane(Slot slot, Lane lane);
  void give_addresses(Slot slot, std::vector<net::Address> addresses);
  void start_https(Slot slot, const std::vector<net::Address>& addresses);
  void on_resolved();
  void expire(Slot slot);
  void cancel(Slot slot);
  void stop_waiting(Slot slot);
  void wake();

  Options options_;
  Deliver deliver_;
  ProberCounters& counters_;
  Fd epoll_;  // first in, last out: all below write to one of them
  Fd event_;
  Fd command_epoll_;  // the event descriptor alone: waits for commands but not for answers
  bool registered_ = false;
  SteadyTime now_{};
  TimerWheel wheel_;
  net::Resolver resolver_;
  std::unique_ptr<net::HttpsClient> https_;
  SocketProbes sockets_;
  std::vector<Peer> peers_;
  std::vector<Slot> free_;
  SerialMap<Slot> slots_;
  std::unordered_multimap<std::string, Slot> waiting_;  // host -> who is `resolving`
  std::size_t unanswered_ = 0;  // of the last round of questions
  std::deque<ProbeCommand> pending_;  // taken, not yet carried out
  std::vector<ProbeResult> results_;

  Mutex mutex_;
  std::vector<ProbeCommand> commands_ AZORA_GUARDED_BY(mutex_);
  bool woken_ AZORA_GUARDED_BY(mutex_) = false;
  bool stopping_ AZORA_GUARDED_BY(mutex_) = false;
  bool stopped_ = false;  // the net thread's copy
};

}  // namespace azora::health
