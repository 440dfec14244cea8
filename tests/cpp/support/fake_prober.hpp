#pragma once
// Prober for tests and the simulation: answers as scripted per serial, in virtual time, and keeps the
// guarantees of prober.hpp (exactly one answer per request, at the latest at its timeout, in batches).
// Two open probes of one serial are a bug of the caller and stop the test.
// Threads: the test's.
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "azora/base/check.hpp"
#include "azora/base/loop.hpp"
#include "azora/health/prober.hpp"

namespace azora::health {

class FakeProber : public Prober {
 public:
  struct Answer {
    Outcome outcome = Outcome::answered;
    int status = 200;
    Nanos latency = Millis(1);
    std::string error{};
    std::string cpu{};     // JSON text; empty: none
    std::string memory{};  // likewise
    std::string remark{};
    static Answer http(int status, Nanos latency = Millis(1)) {
      return {.status = status, .latency = latency};
    }
    static Answer refused() {
      return {.outcome = Outcome::refused, .status = 0, .latency = Micros(100), .error = "connection refused"};
    }
    // Accepts and never answers.
    static Answer hang() {
      return {.outcome = Outcome::timed_out, .status = 0, .latency = Nanos::max()};
    }
    static Answer of(Outcome outcome, std::string error = {}) {
      return {.outcome = outcome, .status = 0, .error = std::move(error)};
    }
  };

  explicit FakeProber(Loop& loop) : loop_(loop) {}

  // From now on `serial` answers so. Applies to probes asked later.
  void set(std::uint64_t serial, Answer answer) { answers_[serial] = std::move(answer); }
  // As set_default() says again.
  void unset(std::uint64_t serial) { answers_.erase(serial); }
  // These first, one probe each; then what set() says (default: 200 after 1 ms).
  void script(std::uint64_t serial, std::vector<Answer> answers) {
    auto& queue = scripts_[serial];
    queue.insert(queue.end(), answers.begin(), answers.end());
  }
  // Decides for every serial without script or set().
  void set_default(std::function<Answer(const ProbeRequest&)> decide) { decide_ = std::move(decide); }

  // Whether a forgotten probe's answer is already on its way: then it comes when it would have come.
  void set_forget_race(std::function<bool()> lost) { race_ = std::move(lost); }
  std::function<void(const ProbeRequest&)> on_ask;
  std::function<void(const ProbeResult&)> on_answer;

  // Whether this check goes astray, as a lost packet does.
  void set_loss(std::function<bool()> lost) { loss_ = std::move(lost); }
  // The orchestrator has ended in the middle of a turn: it asks nothing any more.
  void cut() { cut_ = true; }
  // Its questions ended with it, and so did the loop's tasks for them.
  void end_life() {
    open_.clear();
    ready_.clear();
    cut_ = false;
  }

  void set_sink(Sink sink) override { sink_ = std::move(sink); }
  void ask(std::vector<ProbeRequest>& batch) override {
    if (cut_) return batch.clear();
    ++batches_;
    for (ProbeRequest& request : batch) {
      AZORA_ASSERT(open_.find(request.serial) == open_.end());
      AZORA_ASSERT(request.target != nullptr);
      if (on_ask) on_ask(request);
      ++asked_[request.serial];
      ++asked_total_;
      start(std::move(request));
    }
    batch.clear();
  }
  void forget(CheckKey check) override {
    const auto found = open_.find(check.serial);
    if (found == open_.end() || cut_) return;
    if (race_ && race_()) return;
    loop_.cancel(found->second.timer);
    ProbeResult result = header_of(found->second.request);
    result.outcome = Outcome::cancelled;
    result.error = "cancelled";
    open_.erase(found);
    answer(std::move(result));
  }

  bool in_flight(std::uint64_t serial) const { return open_.contains(serial); }
  std::size_t in_flight_count() const { return open_.size(); }
  std::uint64_t asked(std::uint64_t serial) const {
    const auto found = asked_.find(serial);
    return found == asked_.end() ? 0 : found->second;
  }
  std::uint64_t asked_total() const { return asked_total_; }
  std::uint64_t batches() const { return batches_; }

 private:
  struct Open {
    ProbeRequest request;
    TimerId timer = 0;
  };

  Answer take_answer(const ProbeRequest& request) {
    const auto scripted = scripts_.find(request.serial);
    if (scripted != scripts_.end() && !scripted->second.empty()) {
      Answer answer = std::move(scripted->second.front());
      scripted->second.pop_front();
      return answer;
    }
    const auto fixed = answers_.find(request.serial);
    if (fixed != answers_.end()) return fixed->second;
    return decide_ ? decide_(request) : Answer{};
  }
  static ProbeResult header_of(const ProbeRequest& request) {
    ProbeResult result;
    result.serial = request.serial;
    result.slot = request.slot;
    result.incarnation = request.incarnation;
    result.generation = request.generation;
    return result;
  }
  void start(ProbeRequest request) {
    Answer planned = take_answer(request);
    if (loss_ && loss_()) planned = Answer::hang();
    const Nanos timeout = request.target->timeout;
    if (planned.latency >= timeout || planned.outcome == Outcome::timed_out) {
      planned = Answer::of(Outcome::timed_out,
                           "no response within " + std::to_string(request.target->timeout.count()) + " ms");
      planned.latency = timeout;
    }
    const std::uint64_t serial = request.serial;
    const SteadyTime due = loop_.now().steady + planned.latency;
    Open& open = open_[serial];
    open.request = std::move(request);
    open.timer = loop_.at(due, [this, serial, planned = std::move(planned)] { finish(serial, planned); });
  }
  void finish(std::uint64_t serial, const Answer& planned) {
    const auto found = open_.find(serial);
    AZORA_ASSERT(found != open_.end());
    ProbeResult result = header_of(found->second.request);
    result.outcome = planned.outcome;
    const bool http = found->second.request.target->kind == ProbeKind::http;
    result.http_status = planned.outcome == Outcome::answered && http ? planned.status : 0;
    result.latency = std::chrono::duration_cast<Micros>(planned.latency);
    result.error = planned.error;
    result.remark = planned.remark;
    if (!planned.cpu.empty()) result.cpu = std::make_shared<const std::string>(planned.cpu);
    if (!planned.memory.empty()) result.memory = std::make_shared<const std::string>(planned.memory);
    open_.erase(found);
    answer(std::move(result));
  }
  void answer(ProbeResult result) {
    result.ended = loop_.now().steady;
    if (on_answer) on_answer(result);
    ready_.push_back(std::move(result));
    if (ready_.size() > 1) return;
    loop_.post([this] {
      std::vector<ProbeResult> batch;
      batch.swap(ready_);
      if (sink_) sink_(batch);
    });
  }

  Loop& loop_;
  Sink sink_;
  std::function<Answer(const ProbeRequest&)> decide_;
  std::function<bool()> race_;
  std::function<bool()> loss_;
  bool cut_ = false;
  std::unordered_map<std::uint64_t, std::deque<Answer>> scripts_;
  std::unordered_map<std::uint64_t, Answer> answers_;
  std::map<std::uint64_t, Open> open_;
  std::unordered_map<std::uint64_t, std::uint64_t> asked_;
  std::uint64_t asked_total_ = 0;
  std::uint64_t batches_ = 0;
  std::vector<ProbeResult> ready_;
};

}  // namespace azora::health
