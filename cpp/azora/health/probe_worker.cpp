#include "azora/health/probe_worker.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "azora/base/check.hpp"
#include "azora/health/body_figures.hpp"
#include "azora/health/http_request.hpp"

namespace azora::health {
namespace {

constexpr std::uint64_t kWakeUp = UINT64_MAX;
constexpr std::uint64_t kHttpsTag = std::uint64_t{1} << 63;
constexpr int kMaxEvents = 512;
constexpr int kFewEvents = 4;
constexpr std::size_t kManyUnanswered = 4;
constexpr Nanos kHold = Millis(2);
// About a millisecond's work; then answers are looked at again, so that a large batch does not lengthen the
// latency measured for its first members.
constexpr std::size_t kCommandsPerRound = 128;

}  // namespace

ProbeWorker::ProbeWorker(Options options, Deliver deliver, ProberCounters& counters)
    : options_(std::move(options)),
      deliver_(std::move(deliver)),
      counters_(counters),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      command_epoll_(epoll_create1(EPOLL_CLOEXEC)),
      resolver_(options_.resolver, [this] { wake(); }),
      sockets_(epoll_.get(), options_.max_idle, options_.clock, *this, counters_) {
  epoll_event event{};
  // Edge-triggered and never read: each write is one edge, and one system call less.
  event.events = EPOLLIN | EPOLLET;
  event.data.u64 = kWakeUp;
  registered_ = epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, event_.get(), &event) == 0 &&
                epoll_ctl(command_epoll_.get(), EPOLL_CTL_ADD, event_.get(), &event) == 0;
}

void ProbeWorker::push(std::vector<ProbeCommand> commands) {
  {
    MutexLock lock(mutex_);
    if (commands_.empty()) {
      commands_ = std::move(commands);
    } else {
      std::move(commands.begin(), commands.end(), std::back_inserter(commands_));
    }
    if (std::exchange(woken_, true)) return;
  }
  wake();  // outside: who wakes up wants the lock first
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
  take_commands();
  while (!stopped_) {
    run_commands(kCommandsPerRound);
    if (results_due()) deliver_(std::exchange(results_, {}));
    wait();
  }
  run_commands(SIZE_MAX);
  for (Slot slot = 0; slot < peers_.size(); ++slot) {
    if (peers_[slot].open) cancel(slot);
  }
  if (!results_.empty()) deliver_(std::exchange(results_, {}));
}

// One hand-over for what belongs to one round of questions: the control thread is woken once for it. What is
// slow is not waited for.
bool ProbeWorker::results_due() const {
  return !results_.empty() && (unanswered_ == 0 || now_ >= results_.front().ended + kHold);
}

void ProbeWorker::wait() {
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
    } else if ((data & kHttpsTag) != 0) {
      if (https_) https_->on_event(data, event.events, now_);
    } else {
      sockets_.on_event(static_cast<Slot>(data), static_cast<std::uint32_t>(data >> 32), event.events, now_);
    }
  }
  if (count > 0 && count <= kFewEvents && !woken && unanswered_ >= kManyUnanswered) let_answers_gather();
  if (https_) https_->advance(now_);
  // Deadlines are judged only when no answer waits to be read: after a pause of ours the answers that came
  // in time count.
  if (count < kMaxEvents) wheel_.advance(now_, [this](Slot slot) { expire(slot); });
  // Questions last: what a peer said on a kept connection before it was asked must not pass as an answer.
  if (woken) {
    on_resolved();
    take_commands();
  }
}

// Answers to a batch trickle in, and a wake-up for each costs more than all the rest of a check. While many
// are expected and few came, they are given a millisecond to gather; a command ends the pause.
void ProbeWorker::let_answers_gather() {
  epoll_event event;
  ProberCounters::add(counters_.epoll_waits);
  epoll_wait(command_epoll_.get(), &event, 1, 1);
}

int ProbeWorker::wait_timeout() const {
  if (!pending_.empty()) return 0;
  std::optional<SteadyTime> first = wheel_.next();
  if (https_) {
    const std::optional<SteadyTime> other = https_->next();
    if (other && (!first || *other < *first)) first = other;
  }
  if (!results_.empty() && (!first || results_.front().ended + kHold < *first)) first = results_.front().ended + kHold;
  if (!first) return -1;
  const Nanos left = *first - options_.clock();
  if (left <= Nanos(0)) return 0;
  constexpr std::int64_t kMaxWait = 1'000'000;
  return static_cast<int>(std::min<std::int64_t>((left + Millis(1) - Nanos(1)) / Millis(1), kMaxWait));
}

void ProbeWorker::take_commands() {
  std::vector<ProbeCommand> commands;
  {
    MutexLock lock(mutex_);
    commands.swap(commands_);
    woken_ = false;
    stopped_ = stopping_;
  }
  std::move(commands.begin(), commands.end(), std::back_inserter(pending_));
}

void ProbeWorker::run_commands(std::size_t limit) {
  if (!pending_.empty()) unanswered_ = 0;  // older ones are slow or hung
  for (; limit > 0 && !pending_.empty(); --limit) {
    ProbeCommand command = std::move(pending_.front());
    pending_.pop_front();
    if (command.request.target != nullptr) {
      ask(std::move(command.request));
    } else {
      forget(command.request.serial);
    }
  }
}

void ProbeWorker::ask(ProbeRequest request) {
  const Slot slot = slot_for(request.serial);
  if (peers_[slot].open) cancel(slot);  // the caller asks one at a time; should it not, the newer question counts
  Peer& peer = peers_[slot];
  peer.incarnation = request.incarnation;
  peer.generation = request.generation;
  peer.target = std::move(request.target);
  peer.open = true;
  peer.stale_name = false;
  ++unanswered_;
  if (stopped_) return cancel(slot);
  wheel_.set(slot, options_.clock() + peer.target->timeout);
  const bool https = peer.target->kind == ProbeKind::http && peer.target->scheme == "https";
  if (peer.target->kind == ProbeKind::process) {
    return on_end(slot, {.outcome = Outcome::cancelled, .error = "a process check is not asked over the network"});
  }
  enter_lane(slot, https ? Lane::https : Lane::sockets);
  if (https) {
    on_need_addresses(slot);
  } else {
    const std::shared_ptr<const ProbeTarget> target = peer.target;
    sockets_.start(slot, target);
  }
}

void ProbeWorker::forget(std::uint64_t serial) {
  const Slot* found = slots_.find(serial);
  if (found == nullptr) return;
  const Slot slot = *found;
  if (peers_[slot].open) cancel(slot);
  enter_lane(slot, Lane::none);
  peers_[slot] = Peer{};
  slots_.erase(serial);
  free_.push_back(slot);
}

ProbeWorker::Slot ProbeWorker::slot_for(std::uint64_t serial) {
  if (const Slot* known = slots_.find(serial)) return *known;
  Slot& slot = slots_[serial];
  if (free_.empty()) {
    slot = static_cast<Slot>(peers_.size());
    peers_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  peers_[slot].serial = serial;
  return slot;
}

void ProbeWorker::enter_lane(Slot slot, Lane lane) {
  Peer& peer = peers_[slot];
  if (peer.lane == lane) return;
  if (peer.lane == Lane::sockets) sockets_.forget(slot);
  if (peer.lane == Lane::https && https_) https_->forget(slot);
  peer.lane = lane;
}

void ProbeWorker::on_need_addresses(Slot slot) {
  Peer& peer = peers_[slot];
  net::Resolver::Answer answer = resolver_.find(peer.target->host, peer.target->port, now_);
  switch (answer.state) {
    case net::Resolver::State::found: peer.stale_name = answer.stale; return give_addresses(slot, std::move(answer.addresses));
    case net::Resolver::State::none:
      sockets_.abort(slot);
      return on_end(slot, {.outcome = Outcome::unresolved, .error = "the name " + peer.target->host + " has no address"});
    case net::Resolver::State::pending:
      peer.resolving = true;
      waiting_.emplace(peer.target->host, slot);
      return;
  }
}

void ProbeWorker::give_addresses(Slot slot, std::vector<net::Address> addresses) {
  if (peers_[slot].lane == Lane::https) {
    start_https(slot, addresses);
  } else {
    sockets_.connect(slot, std::move(addresses));
  }
}

void ProbeWorker::start_https(Slot slot, const std::vector<net::Address>& addresses) {
  const ProbeTarget& target = *peers_[slot].target;
  net::HttpsClient::Request request;
  request.target = slot;
  request.host = target.host;
  request.port = target.port;
  request.method = target.method;
  const bool v6 = target.host.find(':') != std::string::npos;
  request.url = "https://" + (v6 ? "[" + target.host + "]" : target.host) + ":" + std::to_string(target.port) +
                safe_path(target.path);
  request.headers = https_headers(target);
  std::copy_if(addresses.begin(), addresses.end(), std::back_inserter(request.addresses),
               [](const net::Address& address) { return !address.is_forbidden(); });
  if (request.addresses.empty()) {
    return on_end(slot, {.outcome = Outcome::refused, .error = std::string(kForbiddenAddress)});
  }
  if (!https_) {
    https_ = std::make_unique<net::HttpsClient>(epoll_.get(), kHttpsTag, [this](net::HttpsClient::Done done) {
      ProbeEnd end;
      switch (done.end) {
        case net::HttpsClient::End::answered: end.outcome = Outcome::answered; break;
        case net::HttpsClient::End::refused: end.outcome = Outcome::refused; break;
        case net::HttpsClient::End::protocol_error: end.outcome = Outcome::protocol_error; break;
        case net::HttpsClient::End::overloaded: end.outcome = Outcome::overloaded; break;
      }
      end.http_status = done.status;
      end.latency = done.latency;
      end.error = done.error;
      if (!done.body.empty()) {
        BodyFigures figures = read_figures(done.body);
        end.cpu = std::move(figures.cpu);
        end.memory = std::move(figures.memory);
      }
      on_end(done.target, std::move(end));
    });
  }
  https_->start(request, now_);
}

void ProbeWorker::on_resolved() {
  for (const std::string& host : resolver_.collect(now_)) {
    const auto [begin, end] = waiting_.equal_range(host);
    std::vector<Slot> ready;
    std::transform(begin, end, std::back_inserter(ready), [](const auto& row) { return row.second; });
    waiting_.erase(begin, end);
    for (const Slot slot : ready) {
      peers_[slot].resolving = false;
      on_need_addresses(slot);
    }
  }
}

void ProbeWorker::on_end(Slot slot, ProbeEnd end) {
  Peer& peer = peers_[slot];
  AZORA_ASSERT(peer.open);
  wheel_.drop(slot);
  peer.open = false;
  if (unanswered_ > 0) --unanswered_;
  if (peer.resolving) stop_waiting(slot);
  ProberCounters::add(counters_.checks);
  ProbeResult result;
  result.serial = peer.serial;
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
  results_.push_back(std::move(result));
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
    const bool connected = peer.lane == Lane::https || sockets_.connected(slot);
    end.error = (connected ? "no answer" : "no connection") + within;
  }
  sockets_.abort(slot);
  if (peer.lane == Lane::https && https_) https_->cancel(slot);
  on_end(slot, std::move(end));
}

void ProbeWorker::cancel(Slot slot) {
  sockets_.abort(slot);
  if (peers_[slot].lane == Lane::https && https_) https_->cancel(slot);
  on_end(slot, {.outcome = Outcome::cancelled, .error = "cancelled"});
}

}  // namespace azora::health
