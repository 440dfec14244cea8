#include "azora/health/probe_worker.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "azora/base/check.hpp"

namespace azora::health {
namespace {

constexpr std::uint64_t kWakeUp = 0;  // the tags of lanes begin at 1
constexpr int kMaxEvents = 512;
// About a millisecond's work; then answers are looked at again, so that a large batch does not lengthen the
// latency measured for its first members.
constexpr std::size_t kRequestsPerRound = 128;

// Sleeps for less than the millisecond that epoll_wait counts in, where the kernel can.
int wait_for(int epoll_fd, epoll_event* events, int room, Nanos span) {
  const timespec precise{span / std::chrono::seconds(1), (span % std::chrono::seconds(1)).count()};
  const int count = ::epoll_pwait2(epoll_fd, events, room, &precise, nullptr);
  return count < 0 && errno == ENOSYS ? ::epoll_wait(epoll_fd, events, room, 1) : count;
}

}  // namespace

ProbeWorker::ProbeWorker(Options options, Deliver deliver, ProberCounters& counters)
    : options_(std::move(options)),
      deliver_(std::move(deliver)),
      counters_(counters),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      command_epoll_(epoll_create1(EPOLL_CLOEXEC)),
      resolver_(options_.resolver, [this] { wake(); }),
      lane_of_row_(options_.lanes.size(), kNoLane) {
  epoll_event event{};
  // Edge-triggered and never read: each write is one edge, and one system call less.
  event.events = EPOLLIN | EPOLLET;
  event.data.u64 = kWakeUp;
  registered_ = epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, event_.get(), &event) == 0 &&
                epoll_ctl(command_epoll_.get(), EPOLL_CTL_ADD, event_.get(), &event) == 0;
}

void ProbeWorker::push(std::vector<ProbeRequest>& requests) {
  {
    MutexLock lock(mutex_);
    if (pushed_.empty()) {
      pushed_.swap(requests);
    } else {
      std::move(requests.begin(), requests.end(), std::back_inserter(pushed_));
      requests.clear();
    }
    if (std::exchange(woken_, true)) return;
  }
  wake();  // outside: the woken thread wants the lock first
}

void ProbeWorker::stop() {
  MutexLock lock(mutex_);
  stopping_ = true;
  wake();
}

void ProbeWorker::wake() {
  counters_.wake_ups.fetch_add(1, std::memory_order_relaxed);  // the resolver's threads count here, too
  const std::uint64_t one = 1;
  // Cannot fail before 2^64 - 2 wake-ups.
  static_cast<void>(!::write(event_.get(), &one, sizeof one));
}

void ProbeWorker::run() {
  now_ = options_.clock();
  wheel_.advance(now_, [](Slot) {});
  take_requests();
  while (!stopped_) {
    run_requests(kRequestsPerRound);
    hand_over_if_due();
    wait();
  }
  run_requests(SIZE_MAX);
  for (Slot slot = 0; slot < peers_.size(); ++slot) {
    if (peers_[slot].open) cancel(slot);
  }
  if (!results_.empty()) deliver_(results_);
}

// One hand-over for what belongs to one round of questions: the control thread is woken once for it. What is slow is
// not waited for.
void ProbeWorker::hand_over_if_due() {
  if (results_.empty()) return;
  if (batch_.complete() || now_ >= AnswerBatch::hand_over_at(results_.front().ended)) deliver_(results_);
}

void ProbeWorker::wait() {
  if (next_ == pending_.size() && batch_.pause_after_round()) pause();
  for (const std::unique_ptr<Lane>& lane : lanes_) lane->look(now_);
  hand_over_if_due();
  std::array<epoll_event, kMaxEvents> events;
  ProberCounters::add(counters_.epoll_waits);
  const int count = epoll_wait(epoll_.get(), events.data(), kMaxEvents, wait_timeout());
  now_ = options_.clock();
  bool woken = false;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    const std::uint64_t data = event.data.u64;
    if (data == kWakeUp) {
      woken = true;
    } else {
      constexpr std::uint64_t kOwn = (std::uint64_t{1} << Lane::kTagShift) - 1;
      lanes_[(data >> Lane::kTagShift) - 1]->on_event(data & kOwn, event.events, now_);
    }
  }
  if (!woken && batch_.pause_after_events(count)) pause();
  for (const std::unique_ptr<Lane>& lane : lanes_) lane->advance(now_);
  // Deadlines are judged only when no answer waits to be read: after a pause of ours the answers that came
  // in time count.
  if (count < kMaxEvents) wheel_.advance(now_, [this](Slot slot) { expire(slot); });
  // Questions last: what a peer said on a kept connection before it was asked must not pass as an answer.
  if (woken) {
    on_resolved();
    take_requests();
  }
}

// Answers gather meanwhile; a question ends it. What arrived is found by the next wait.
void ProbeWorker::pause() {
  epoll_event event;
  ProberCounters::add(counters_.epoll_waits);
  wait_for(command_epoll_.get(), &event, 1, AnswerBatch::kGather);
  now_ = options_.clock();
}

int ProbeWorker::wait_timeout() const {
  if (next_ < pending_.size()) return 0;
  std::optional<SteadyTime> first = wheel_.next();
  const auto consider = [&first](std::optional<SteadyTime> other) {
    if (other && (!first || *other < *first)) first = other;
  };
  for (const std::unique_ptr<Lane>& lane : lanes_) consider(lane->next());
  if (!results_.empty()) consider(AnswerBatch::hand_over_at(results_.front().ended));
  if (!first) return -1;
  const Nanos left = *first - options_.clock();
  if (left <= Nanos(0)) return 0;
  constexpr std::int64_t kMaxWait = 1'000'000;
  return static_cast<int>(std::min<std::int64_t>((left + Millis(1) - Nanos(1)) / Millis(1), kMaxWait));
}

void ProbeWorker::take_requests() {
  if (next_ == pending_.size()) {
    pending_.clear();
    next_ = 0;
  }
  MutexLock lock(mutex_);
  if (pending_.empty()) {
    pending_.swap(pushed_);
  } else {
    std::move(pushed_.begin(), pushed_.end(), std::back_inserter(pending_));
    pushed_.clear();
  }
  woken_ = false;
  stopped_ = stopping_;
}

void ProbeWorker::run_requests(std::size_t limit) {
  if (next_ == pending_.size()) return;
  batch_.begin_round(pending_.size() - next_);
  for (; limit > 0 && next_ < pending_.size(); --limit) {
    ProbeRequest& request = pending_[next_++];
    if (request.target != nullptr) {
      ask(request);
    } else if (request.slot < peers_.size() && peers_[request.slot].serial == request.serial) {
      forget(request.slot);
    }
  }
}

void ProbeWorker::ask(ProbeRequest& request) {
  const Slot slot = request.slot;
  if (slot >= peers_.size()) peers_.resize(slot + 1);
  // The caller asks one at a time; should it not, the newer question counts.
  if (peers_[slot].open) cancel(slot);
  if (peers_[slot].serial != request.serial) forget(slot);
  Peer& peer = peers_[slot];
  peer.serial = request.serial;
  peer.incarnation = request.incarnation;
  peer.generation = request.generation;
  if (peer.target != request.target) {
    const LaneIndex wanted = lane_of(*request.target);
    if (wanted != peer.lane) leave_lane(slot);
    peer.lane = wanted;
    peer.target = std::move(request.target);
  }
  request.target.reset();
  peer.open = true;
  peer.stale_name = false;
  batch_.asked();
  if (stopped_) return cancel(slot);
  if (peer.lane == kNoLane) {
    return on_end(slot, {.outcome = Outcome::cancelled, .error = "this kind of check is not asked over the network"});
  }
  wheel_.set(slot, options_.clock() + peer.target->timeout);
  lane(slot).start(slot, peer.target);
}

void ProbeWorker::forget(Slot slot) {
  if (peers_[slot].open) cancel(slot);
  leave_lane(slot);
  peers_[slot] = Peer{};
}

ProbeWorker::LaneIndex ProbeWorker::lane_of(const ProbeTarget& target) {
  const std::span<const LaneRow> rows = options_.lanes;
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const LaneRow& one) {
    return one.kind == target.kind && (one.scheme.empty() || one.scheme == target.scheme);
  });
  if (row == rows.end()) return kNoLane;
  LaneIndex& known = lane_of_row_[static_cast<std::size_t>(row - rows.begin())];
  if (known != kNoLane) return known;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].make == row->make && lane_of_row_[i] != kNoLane) return known = lane_of_row_[i];
  }
  known = static_cast<LaneIndex>(lanes_.size());
  lanes_.push_back(row->make({.epoll_fd = epoll_.get(),
                              .event_tag = (std::uint64_t{known} + 1) << Lane::kTagShift,
                              .max_idle = options_.max_idle,
                              .clock = options_.clock,
                              .host = this,
                              .counters = &counters_}));
  return known;
}

void ProbeWorker::leave_lane(Slot slot) {
  if (peers_[slot].lane != kNoLane) lane(slot).forget(slot);
  peers_[slot].lane = kNoLane;
}

void ProbeWorker::need_addresses(Slot slot) {
  Peer& peer = peers_[slot];
  const net::Resolver::Answer answer = resolver_.find(peer.target->host, peer.target->port, now_, found_);
  switch (answer.state) {
    case net::Resolver::State::found:
      peer.stale_name = answer.stale;
      return lane(slot).addresses(slot, found_);
    case net::Resolver::State::none:
      lane(slot).cancel(slot);
      return on_end(slot, {.outcome = Outcome::unresolved, .error = "the name " + peer.target->host + " has no address"});
    case net::Resolver::State::pending:
      peer.resolving = true;
      waiting_.emplace(peer.target->host, slot);
      return;
  }
}

void ProbeWorker::on_resolved() {
  for (const std::string& host : resolver_.collect(now_)) {
    const auto [begin, end] = waiting_.equal_range(host);
    std::vector<Slot> ready;
    std::transform(begin, end, std::back_inserter(ready), [](const auto& row) { return row.second; });
    waiting_.erase(begin, end);
    for (const Slot slot : ready) {
      peers_[slot].resolving = false;
      need_addresses(slot);
    }
  }
}

void ProbeWorker::on_end(Slot slot, ProbeEnd end) {
  Peer& peer = peers_[slot];
  AZORA_ASSERT(peer.open);
  wheel_.drop(slot);
  peer.open = false;
  batch_.answered();
  if (peer.resolving) stop_waiting(slot);
  ProberCounters::add(counters_.checks);
  ProbeResult& result = results_.emplace_back();
  result.serial = peer.serial;
  result.slot = slot;
  result.incarnation = peer.incarnation;
  result.generation = peer.generation;
  result.outcome = end.outcome;
  result.http_status = end.outcome == Outcome::answered ? end.http_status : 0;
  result.latency = std::chrono::duration_cast<Micros>(end.latency);
  result.ended = now_;
  result.error = std::move(end.error);
  if (peer.stale_name) {
    result.remark = "the name " + peer.target->host + " could not be looked up again, its last address is asked";
  }
  result.cpu = std::move(end.cpu);
  result.memory = std::move(end.memory);
}

void ProbeWorker::stop_waiting(Slot slot) {
  peers_[slot].resolving = false;
  const auto [begin, end] = waiting_.equal_range(peers_[slot].target->host);
  const auto found = std::find_if(begin, end, [slot](const auto& row) { return row.second == slot; });
  if (found != end) waiting_.erase(found);
}

void ProbeWorker::expire(Slot slot) {
  const Peer& peer = peers_[slot];
  if (!peer.open) return;
  const std::string within = " within " + std::to_string(peer.target->timeout.count()) + " ms";
  ProbeEnd end;
  end.latency = peer.target->timeout;
  if (peer.resolving) {
    end.outcome = Outcome::unresolved;
    end.error = "the name " + peer.target->host + " was not resolved" + within;
  } else {
    end.outcome = Outcome::timed_out;
    end.error = (lane(slot).connected(slot) ? "no answer" : "no connection") + within;
  }
  lane(slot).cancel(slot);
  on_end(slot, std::move(end));
}

void ProbeWorker::cancel(Slot slot) {
  if (peers_[slot].lane != kNoLane) lane(slot).cancel(slot);
  on_end(slot, {.outcome = Outcome::cancelled, .error = "cancelled"});
}

}  // namespace azora::health
