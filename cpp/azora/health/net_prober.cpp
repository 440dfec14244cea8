#include "azora/health/net_prober.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <thread>

#include "azora/base/asio_loop.hpp"
#include "azora/base/file_limit.hpp"
#include "azora/base/mutex.hpp"
#include "azora/health/probe_worker.hpp"
#include "azora/base/thread.hpp"

namespace azora::health {
namespace {

// Carries results to the control thread: while one hand-over waits there, further results join it. Both sides give
// their empty vectors back, so that in steady state none is made.
class Outbox : public std::enable_shared_from_this<Outbox> {
 public:
  explicit Outbox(Loop& control) : control_(control) {}

  void set_sink(Prober::Sink sink) { sink_ = std::move(sink); }  // control thread
  void close() { sink_ = nullptr; }                              // control thread
  // Any thread. `results` is empty afterwards.
  void deliver(std::vector<ProbeResult>& results) {
    {
      MutexLock lock(mutex_);
      const bool first = waiting_.empty();
      if (first) {
        waiting_.swap(results);
      } else {
        std::move(results.begin(), results.end(), std::back_inserter(waiting_));
        results.clear();
      }
      if (!first) return;
    }
    control_.post([self = shared_from_this()] { self->hand_over(); });
  }

 private:
  void hand_over() {
    {
      MutexLock lock(mutex_);
      taken_.swap(waiting_);
    }
    if (sink_ && !taken_.empty()) sink_(taken_);
    taken_.clear();
  }

  Loop& control_;
  Prober::Sink sink_;
  std::vector<ProbeResult> taken_;  // by the control thread
  Mutex mutex_;
  std::vector<ProbeResult> waiting_ AZORA_GUARDED_BY(mutex_);
};

}  // namespace

struct NetProber::State {
  State(Loop& control, const NetProberOptions& options)
      : died(options.resolver.died),
        outbox(std::make_shared<Outbox>(control)),
        worker({.max_idle = (options.fd_limit != 0 ? options.fd_limit : file_limit()) / 2,
                .resolver = options.resolver,
                .clock = &AsioLoop::steady_now,
                .lanes = options.lanes},
               [box = outbox](std::vector<ProbeResult>& results) { box->deliver(results); }, counters) {}

  const ThreadDied died;
  ProberCounters counters;
  std::shared_ptr<Outbox> outbox;
  ProbeWorker worker;
  std::optional<std::thread> thread;
  bool stopped = false;
};

NetProber::NetProber(Loop& control, NetProberOptions options) : state_(std::make_unique<State>(control, options)) {}

NetProber::~NetProber() {
  stop();
  state_->outbox->close();
}

Result<void> NetProber::start() {
  if (state_->thread || state_->stopped) return {};
  if (!state_->worker.ready()) {
    return Error{ErrorCode::internal, std::string("the prober cannot get descriptors: ") + std::strerror(errno), {}};
  }
  state_->thread = start_thread("az-net", [state = state_.get()] { state->worker.run(); }, state_->died);
  if (!state_->thread) return Error{ErrorCode::internal, "the prober's thread cannot be started", {}};
  return {};
}

void NetProber::stop() {
  if (state_->stopped) return;
  state_->stopped = true;
  state_->worker.stop();
  if (state_->thread) {
    state_->thread->join();
    state_->thread.reset();
  } else if (state_->worker.ready()) {
    state_->worker.run();  // never started: what was asked must still be answered
  }
}

void NetProber::set_sink(Sink sink) { state_->outbox->set_sink(std::move(sink)); }

void NetProber::ask(std::vector<ProbeRequest>& batch) {
  if (batch.empty()) return;
  if (!state_->stopped) return state_->worker.push(batch);
  std::vector<ProbeResult> results(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    results[i].serial = batch[i].serial;
    results[i].slot = batch[i].slot;
    results[i].incarnation = batch[i].incarnation;
    results[i].generation = batch[i].generation;
    results[i].ended = AsioLoop::steady_now();
    results[i].error = "cancelled";
  }
  batch.clear();
  state_->outbox->deliver(results);
}

void NetProber::forget(CheckKey check) {
  if (state_->stopped) return;
  std::vector<ProbeRequest> requests(1);
  requests[0].serial = check.serial;
  requests[0].slot = check.slot;
  state_->worker.push(requests);
}

ProberCounts NetProber::counters() const { return state_->counters.read(); }

}  // namespace azora::health
