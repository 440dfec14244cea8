#pragma once
// The world of the net thread: one epoll set, one wheel of deadlines, the resolver, and the lanes that ask. Takes
// questions in batches and hands answers over in batches, one hand-over per round.
// Threads: run() is the net thread's body; push() and stop() any thread; all else the net thread.
// Fails: never; every question is answered exactly once, the open ones with `cancelled` when run() ends.
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "azora/base/fd.hpp"
#include "azora/base/mutex.hpp"
#include "azora/health/answer_batch.hpp"
#include "azora/health/lanes/lane.hpp"
#include "azora/health/lanes/table.hpp"
#include "azora/health/timer_wheel.hpp"
#include "azora/net/resolver.hpp"

namespace azora::health {

class ProbeWorker : private Lane::Host {
 public:
  struct Options {
    std::size_t max_idle = 0;  // kept connections
    net::Resolver::Options resolver;
    Lane::Clock clock = nullptr;
    std::span<const LaneRow> lanes = lane_table();
  };
  // On the net thread; takes the results and leaves room for the next ones.
  using Deliver = std::function<void(std::vector<ProbeResult>&)>;

  ProbeWorker(Options options, Deliver deliver, ProberCounters& counters);
  ~ProbeWorker() = default;
  ProbeWorker(const ProbeWorker&) = delete;
  ProbeWorker& operator=(const ProbeWorker&) = delete;

  // False: the system gave us no descriptors to work with.
  bool ready() const { return registered_; }
  // Takes the requests, and leaves room for the next ones. One without a target forgets its check.
  void push(std::vector<ProbeRequest>& requests);
  // Carries out what was pushed, cancels what is open and makes run() return.
  void stop();
  void run();

 private:
  using Slot = CheckKey::Slot;
  using LaneIndex = std::uint8_t;
  static constexpr LaneIndex kNoLane = UINT8_MAX;

  // One check that was asked about since it was last forgotten.
  struct Peer {
    Serial serial = 0;
    std::uint64_t incarnation = 0;
    std::uint64_t generation = 0;
    std::shared_ptr<const ProbeTarget> target;
    LaneIndex lane = kNoLane;
    bool open = false;
    bool resolving = false;
    bool stale_name = false;  // asked at an address that could not be looked up again
  };

  void on_end(Slot slot, ProbeEnd end) override;
  void need_addresses(Slot slot) override;
  bool gathers() const override { return batch_.gathers(); }

  void wait();
  void pause();
  void hand_over_if_due();
  int wait_timeout() const;
  void take_requests();
  void run_requests(std::size_t limit);
  void ask(ProbeRequest& request);
  void forget(Slot slot);
  // The lane of a target; kNoLane: it is not asked over the network.
  LaneIndex lane_of(const ProbeTarget& target);
  void leave_lane(Slot slot);
  Lane& lane(Slot slot) { return *lanes_[peers_[slot].lane]; }
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
  Fd command_epoll_;  // the event descriptor alone: waits for questions but not for answers
  bool registered_ = false;
  SteadyTime now_{};
  TimerWheel wheel_;
  net::Resolver resolver_;
  std::vector<std::unique_ptr<Lane>> lanes_;    // as they were first needed
  std::vector<LaneIndex> lane_of_row_;          // by row of the table
  std::vector<Peer> peers_;                     // by slot
  std::unordered_multimap<std::string, Slot> waiting_;  // host -> those that are `resolving`
  std::vector<net::Address> found_;             // by the last lookup
  AnswerBatch batch_;
  std::vector<ProbeRequest> pending_;           // taken; those before next_ are carried out
  std::size_t next_ = 0;
  std::vector<ProbeResult> results_;

  Mutex mutex_;
  std::vector<ProbeRequest> pushed_ AZORA_GUARDED_BY(mutex_);
  bool woken_ AZORA_GUARDED_BY(mutex_) = false;
  bool stopping_ AZORA_GUARDED_BY(mutex_) = false;
  bool stopped_ = false;  // the net thread's copy
};

}  // namespace azora::health
