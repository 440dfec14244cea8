#pragma once
// The parts of a running orchestrator and their threads: az-control runs the core, az-net the prober (its own),
// az-keeper the link to the keeper (its own). az-work does work that may wait: it rebuilds tables, reads stamps of
// files and samples usage. az-listen asks the kernel whose listener answers.
// Threads: made by the first call that needs them, ended by close(). Public methods any thread.
// Ownership: owns everything. Members are declared in such an order that a borrower is destroyed before its lender.
// Fails: open() without threads.
#include <memory>
#include <string>
#include <utility>

#include "azora/balancer/balancer.hpp"
#include "azora/events/log.hpp"
#include "azora/orchestrator/call_gate.hpp"
#include "azora/orchestrator/core.hpp"
#include "azora/orchestrator/live_publisher.hpp"
#include "azora/orchestrator/log_stream.hpp"
#include "azora/orchestrator/loop_thread.hpp"
#include "azora/orchestrator/opened_state.hpp"
#include "azora/orchestrator/pulse.hpp"
#include "azora/orchestrator/runtime_parts.hpp"
#include "azora/orchestrator/usage_sampler.hpp"

namespace azora::orchestrator {

class Orchestrator::Impl {
 public:
  explicit Impl(Options options);
  ~Impl();

  Result<void> start();
  Result<std::vector<std::string>> stop(Millis deadline, bool for_good);
  void close(Millis deadline);
  Result<void> leave();
  Result<void> open();

  // Runs body(core) as part of a turn of the control thread, and answers when that turn is published. For reads, and
  // for changes that are not stored. T is a Result.
  template <typename T, typename Body>
  T read(Body body) {
    return await<T>([body = std::move(body)](Core& core, const std::shared_ptr<Promise<T>>& promise) mutable {
      const auto answer = std::make_shared<T>(body(core));
      core.after_publish([promise, answer] { promise->keep(std::move(*answer)); });
    });
  }
  // The same for changes: answers when the change is stored, or with the store's error; at once if it is refused.
  template <typename T, typename Body>
  T change(Body body) {
    return await<T>([body = std::move(body)](Core& core, const std::shared_ptr<Promise<T>>& promise) mutable {
      keep_when_stored(core, std::make_shared<T>(body(core)), promise);
    });
  }
  // The same for drain and maintenance.
  template <typename Body>
  Result<VerbAnswer> admin(Body body) {
    return change<Result<VerbAnswer>>([body = std::move(body)](Core& core) { return body(core.admin()); });
  }
  // The same if the core answers later: body(core, promise) gets the promise and keeps it.
  template <typename T, typename Body>
  T await(Body body) {
    const auto reply = std::make_shared<Reply<T>>();
    await_then<T>(std::move(body), [reply](T answer) { reply->set(std::move(answer)); });
    return reply->wait();
  }
  // change() and await() without waiting: done(answer) is called on the control thread, or here if all is closed.
  template <typename T, typename Body, typename Done>
  void change_then(Body body, Done done) {
    auto stored = [body = std::move(body)](Core& core, const std::shared_ptr<Promise<T>>& promise) mutable {
      keep_when_stored(core, std::make_shared<T>(body(core)), promise);
    };
    await_then<T>(std::move(stored), std::move(done));
  }
  template <typename T, typename Body, typename Done>
  void await_then(Body body, Done done) {
    const auto pass = std::make_shared<const CallGate::Pass>(gate_);  // the call counts as inside until it is answered
    if (!*pass) return done(T(closed()));
    if (Result<void> open = this->open(); !open) return done(T(std::move(open).error()));
    auto promise = std::make_shared<Promise<T>>([pass, done = std::move(done)](T answer) { done(std::move(answer)); });
    control_.loop().post([this, promise = std::move(promise), body = std::move(body)]() mutable { body(core_, promise); });
  }
  // Runs body(core) in some later turn; it is lost if the orchestrator is closed before.
  template <typename Body>
  void post(Body body) {
    const CallGate::Pass pass(gate_);
    if (!pass || !open()) return;
    control_.loop().post([this, body = std::move(body)]() mutable { body(core_); });
  }

  std::shared_ptr<const Board> board() const { return publisher_.board(); }
  // A reader reads figures of processes: they are sampled for a while from now on.
  void looked() { usage_.looked(); }
  std::string metrics_text() const;
  WhySources why_sources();
  // The published state at this moment, for texts that are kept.
  Moment moment() const { return {.figures = core_.figures_written(), .board = publisher_.board(), .now = AsioLoop::steady_now()}; }
  std::uint64_t seq() const { return publisher_.seq(); }
  std::string trouble();
  // Reads requests against the published state.
  Result<std::vector<Request>> read_requests(const std::vector<std::string>& texts) const;
  Result<std::unique_ptr<LogStream>> follow_logs(std::string_view name, LogOptions options);

  Result<store::HistoryPage> history(const store::HistoryQuery& query);
  balancer::Balancer& balancer() { return balancer_; }
  events::EventLog& events() { return *events_; }
  ListBodies& lists() { return bodies_.lists; }
  GraphReads& graph() { return bodies_.graph; }
  actions::CallableAction& callables() { return actions_.callables; }

 private:
  template <typename T>
  static void keep_when_stored(Core& core, const std::shared_ptr<T>& answer, const std::shared_ptr<Promise<T>>& promise) {
    if (!*answer) return core.after_publish([promise, answer] { promise->keep(std::move(*answer)); });
    core.after_commit([promise, answer](const Result<void>& stored) {
      if (!stored) *answer = T(stored.error());
      promise->keep(std::move(*answer));
    });
  }
  static Error closed() { return {ErrorCode::closed, "the orchestrator is closed", {}}; }
  ThreadDied died();
  Result<void> take_back();
  void stamp(const LaunchSpec& spec, Stamped answer);
  void sweep_leases();
  // Runs body(promise) on the control thread and waits until the promise is kept. For the end of the program.
  template <typename Body>
  void on_control(Body body);
  // What the last stop stops: with a state directory not what is to be kept.
  StopScope last_scope() const { return state_.is_durable() ? StopScope::not_kept : StopScope::all; }
  void hand_over();
  void end_threads();

  const Options options_;
  CallGate gate_;
  Pulse pulse_;
  OpenOnce opening_;

  LoopThread control_{"az-control", died(), &control_thread};
  LoopThread work_{"az-work", died()};
  OpenedState state_;
  std::shared_ptr<events::EventLog> events_;
  balancer::Balancer balancer_;
  LivePublisher publisher_;
  KeptBodies bodies_;
  CheckParts checks_;
  ActionParts actions_;
  Core core_;
  UsageSampler usage_;
};

}  // namespace azora::orchestrator
