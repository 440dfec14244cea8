#pragma once
// The parts of the net thread: what it waits at (probe_poll.hpp), one wheel of deadlines, the resolver, and the lanes
// that ask. Takes questions in batches (probe_inbox.hpp) and hands answers over in batches, one hand-over per round.
// Threads: run() is the net thread's body; push() and stop() any thread; all else the net thread.
// Fails: never; every question is answered exactly once, the open ones with `cancelled` when run() ends.
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "azora/health/answer_batch.hpp"
#include "azora/health/lanes/lane_set.hpp"
#include "azora/health/probe_inbox.hpp"
#include "azora/health/probe_poll.hpp"
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
  bool ready() const { return poll_.ready(); }
  // Takes the requests, and leaves room for the next ones. A request without a target means: forget its check.
  void push(std::vector<ProbeRequest>& requests);
  // Carries out what was pushed, cancels what is open and makes run() return.
  void stop();
  void run();

 private:
  using Slot = CheckKey::Slot;

  // One check about which a question came since it was last forgotten.
  struct Peer {
    Serial serial = 0;
    std::uint64_t incarnation = 0;
    std::uint64_t generation = 0;
    std::shared_ptr<const ProbeTarget> target;
    LaneSet::Index lane = LaneSet::kNone;
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
  void run_requests(std::size_t limit);
  void ask(ProbeRequest& request);
  void forget(Slot slot);
  void leave_lane(Slot slot);
  Lane& lane(Slot slot) { return lanes_[peers_[slot].lane]; }
  void on_resolved();
  void expire(Slot slot);
  void cancel(Slot slot);
  void stop_waiting(Slot slot);

  const Lane::Clock clock_;
  Deliver deliver_;
  ProberCounters& counters_;
  ProbePoll poll_;  // made first, destroyed last: resolver and lanes write to it
  ProbeInbox inbox_;
  SteadyTime now_{};
  TimerWheel wheel_;
  net::Resolver resolver_;
  LaneSet lanes_;
  std::vector<Peer> peers_;                             // by slot
  std::unordered_multimap<std::string, Slot> waiting_;  // host -> those that are `resolving`
  std::vector<net::Address> found_;                     // by the last lookup
  AnswerBatch batch_;
  std::vector<ProbeResult> results_;
};

}  // namespace azora::health
