#include "azora/health/probe_worker.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "azora/base/check.hpp"

namespace azora::health {
namespace {

// About a millisecond's work; then answers are looked at again, so that a large batch does not lengthen the
// latency measured for its first members.
constexpr std::size_t kRequestsPerRound = 128;

}  // namespace

ProbeWorker::ProbeWorker(Options options, Deliver deliver, ProberCounters& counters)
    : clock_(options.clock),
      deliver_(std::move(deliver)),
      counters_(counters),
      poll_(counters),
      resolver_(std::move(options.resolver), [this] { poll_.wake(); }),
      lanes_(options.lanes, {.epoll_fd = poll_.epoll_fd(),
                             .max_idle = options.max_idle,
                             .clock = options.clock,
                             .host = this,
                             .counters = &counters}) {}

void ProbeWorker::push(std::vector<ProbeRequest>& requests) {
  if (inbox_.push(requests)) poll_.wake();  // outside the lock of the inbox, which the woken thread wants first
}

void ProbeWorker::stop() {
  inbox_.stop();
  poll_.wake();
}

void ProbeWorker::run() {
  now_ = clock_();
  wheel_.advance(now_, [](Slot) {});
  inbox_.take();
  while (!inbox_.stopped()) {
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

// Hands over the results of one round of questions together, so the control thread is woken once for them. Slow
// answers are not waited for.
void ProbeWorker::hand_over_if_due() {
  if (results_.empty()) return;
  if (batch_.complete() || now_ >= AnswerBatch::hand_over_at(results_.front().ended)) deliver_(results_);
}

void ProbeWorker::wait() {
  if (inbox_.left() == 0 && batch_.pause_after_round()) pause();
  lanes_.look(now_);
  hand_over_if_due();
  ProbePoll::Room room;
  const std::span<const epoll_event> events = poll_.wait(room, wait_timeout());
  now_ = clock_();
  bool woken = false;
  for (const epoll_event& event : events) {
    if (event.data.u64 == ProbePoll::kWakeUp) {
      woken = true;
    } else {
      lanes_.on_event(event.data.u64, event.events, now_);
    }
  }
  if (!woken && batch_.pause_after_events(static_cast<int>(events.size()))) pause();
  lanes_.advance(now_);
  // Deadlines are judged only when no answer waits to be read: after a pause of ours the answers that came
  // in time count.
  if (events.size() < room.size()) wheel_.advance(now_, [this](Slot slot) { expire(slot); });
  // Questions come last: what a peer sent on a kept connection before its question must not pass as an answer.
  if (woken) {
    on_resolved();
    inbox_.take();
  }
}

// Waits while answers gather; a new question ends the wait. The next wait() finds what arrived.
void ProbeWorker::pause() {
  poll_.pause(AnswerBatch::kGather);
  now_ = clock_();
}

int ProbeWorker::wait_timeout() const {
  if (inbox_.left() > 0) return 0;
  std::optional<SteadyTime> first = wheel_.next();
  const auto consider = [&first](std::optional<SteadyTime> other) {
    if (other && (!first || *other < *first)) first = other;
  };
  consider(lanes_.next());
  if (!results_.empty()) consider(AnswerBatch::hand_over_at(results_.front().ended));
  if (!first) return -1;
  const Nanos left = *first - clock_();
  if (left <= Nanos(0)) return 0;
  constexpr std::int64_t kMaxWait = 1'000'000;
  return static_cast<int>(std::min<std::int64_t>((left + Millis(1) - Nanos(1)) / Millis(1), kMaxWait));
}

void ProbeWorker::run_requests(std::size_t limit) {
  if (inbox_.left() == 0) return;
  batch_.begin_round(inbox_.left());
  for (; limit > 0 && inbox_.left() > 0; --limit) {
    ProbeRequest& request = inbox_.next();
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
  // The caller asks one question of a check at a time; if it does not, the newer question counts.
  if (peers_[slot].open) cancel(slot);
  if (peers_[slot].serial != request.serial) forget(slot);
  Peer& peer = peers_[slot];
  peer.serial = request.serial;
  peer.incarnation = request.incarnation;
  peer.generation = request.generation;
  if (peer.target != request.target) {
    const LaneSet::Index wanted = lanes_.index_of(*request.target);
    if (wanted != peer.lane) leave_lane(slot);
    peer.lane = wanted;
    peer.target = std::move(request.target);
  }
  request.target.reset();
  peer.open = true;
  peer.stale_name = false;
  batch_.asked();
  if (inbox_.stopped()) return cancel(slot);
  if (peer.lane == LaneSet::kNone) {
    return on_end(slot, {.outcome = Outcome::cancelled, .error = "this kind of check does not use the network"});
  }
  wheel_.set(slot, clock_() + peer.target->timeout);
  lane(slot).start(slot, peer.target);
}

void ProbeWorker::forget(Slot slot) {
  if (peers_[slot].open) cancel(slot);
  leave_lane(slot);
  peers_[slot] = Peer{};
}

void ProbeWorker::leave_lane(Slot slot) {
  if (peers_[slot].lane != LaneSet::kNone) lane(slot).forget(slot);
  peers_[slot].lane = LaneSet::kNone;
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
    result.remark = "the name " + peer.target->host + " could not be looked up again; its last address is used";
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
    end.error = (lane(slot).connected(slot) ? "no response" : "no connection") + within;
  }
  lane(slot).cancel(slot);
  on_end(slot, std::move(end));
}

void ProbeWorker::cancel(Slot slot) {
  if (peers_[slot].lane != LaneSet::kNone) lane(slot).cancel(slot);
  on_end(slot, {.outcome = Outcome::cancelled, .error = "cancelled"});
}

}  // namespace azora::health
