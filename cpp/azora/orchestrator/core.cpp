#include "azora/orchestrator/core.hpp"

#include <algorithm>

namespace azora::orchestrator {

using healing::Cause;
using healing::Input;

Core::Core(Loop& loop, health::Prober& prober, keeper::Keeper& keeper, Publisher& publisher, CoreOptions options)
    : loop_(loop),
      prober_(prober),
      keeper_(keeper),
      publisher_(publisher),
      options_(options),
      scheduler_(health::SchedulerOptions{.fd_limit = options.fd_limit}),
      probe_timer_(loop, scheduler_, guard_, [this](const std::vector<health::Serial>& serials) { ask(serials); }),
      bucket_(options.max_concurrent_starts, options.starts_per_second) {
  prober_.set_sink([this](std::vector<health::ProbeResult> results) { on_results(std::move(results)); });
  keeper_.set_listener(this);
}

Core::~Core() = default;

void Core::start() {
  if (running_) return;
  running_ = true;
  answer_stop(living_processes());  // a stop under way ends here
  board_changed_ = true;
  ++board_.list_version;
  std::vector<std::uint64_t> serials;
  registry_.for_each([&](const registry::Entry& entry) { serials.push_back(entry.serial); });
  for (const std::uint64_t serial : serials) {
    ServiceState* service = by_serial(serial);
    if (service == nullptr) continue;
    if (!service->process()) service->begin_anew();
    refresh_status(*service);
    evaluate_dependencies(*service);
    bring_up(*service);
    mark(*service);
  }
  settle();
}

// Probes end at once; process services stop level by level, dependents first.
void Core::stop(SteadyTime deadline, std::function<void(std::vector<std::string>)> done) {
  if (stop_done_) {
    // A second caller waits for the same end; the shorter patience counts.
    stop_done_ = [first = std::move(stop_done_), second = std::move(done)](const std::vector<std::string>& left) {
      first(left);
      second(left);
    };
    if (deadline < stop_deadline_) stop_by(deadline);
    return;
  }
  if (!running_ && processes_alive() == 0) {
    answers_.push_back([done = std::move(done)] { done({}); });
    return;
  }
  running_ = false;
  staged_.clear();
  board_changed_ = true;
  ++board_.list_version;
  services_.for_each([this](std::uint64_t serial, ServiceState& service) {
    if (service.leaving) return;
    refresh_status(service);
    publish_standing(service);
    prober_.forget(serial);
    apply_probe_mode(service);
    mark(service);
    stop_looks_.push_back(serial);
  });
  stop_done_ = std::move(done);
  stop_by(deadline);
  stop_next();
}

// What still lives at `deadline` is killed.
void Core::stop_by(SteadyTime deadline) {
  loop_.cancel(stop_timer_);
  stop_deadline_ = deadline;
  stop_timer_ = loop_.at(deadline, [this] {
    stop_timer_ = 0;
    std::vector<std::string> left = living_processes();
    std::vector<std::uint64_t> serials;
    services_.for_each([&](std::uint64_t serial, const ServiceState& service) {
      if (service.process() && service.machine.lifecycle != Lifecycle::idle) serials.push_back(serial);
    });
    for (const std::uint64_t serial : serials) {
      // Also those that waited for their dependents: what comes now is a planned end.
      ServiceState* service = by_serial(serial);
      feed(*service, {.kind = Input::Kind::desire, .desired = Desired::down, .cause = Cause::shutdown});
      if (!service->alive()) continue;
      sends_.push_back([this, serial, incarnation = service->machine.incarnation] { keeper_.kill(serial, incarnation); });
    }
    answer_stop(std::move(left));
  });
}

// While stopping: whoever has no living dependent is told to stop.
void Core::stop_next() {
  while (stop_done_ && !stop_looks_.empty()) {
    const std::uint64_t serial = stop_looks_.back();
    stop_looks_.pop_back();
    if (ServiceState* service = by_serial(serial)) stop_unless_needed(*service);
  }
  stop_looks_.clear();
  if (stop_done_ && processes_alive() == 0) answer_stop({});
}

void Core::stop_unless_needed(ServiceState& service) {
  const bool over = service.machine.lifecycle == Lifecycle::idle || service.machine.desired == Desired::down;
  if (!service.process() || over) return;
  bool needed = false;
  graph_.for_each_dependent(*service.id, [&](const std::string& id, const Dependency&) {
    const ServiceState* dependent = find(id);
    needed = needed || (dependent != nullptr && dependent->alive());
  });
  if (needed) return;
  feed(service, {.kind = Input::Kind::desire, .desired = Desired::down, .cause = Cause::shutdown});
}

// Something that needed these has ended or needs them no more.
void Core::look_to_stop(const ServiceSpec& spec) {
  if (!stop_done_) return;
  for (const Dependency& dependency : spec.dependencies) {
    if (const ServiceState* service = find(dependency.id)) stop_looks_.push_back(service->serial);
  }
}

void Core::answer_stop(std::vector<std::string> left) {
  loop_.cancel(stop_timer_);
  stop_timer_ = 0;
  if (auto answer = std::exchange(stop_done_, nullptr)) {
    answers_.push_back([answer = std::move(answer), left = std::move(left)] { answer(left); });
  }
}

std::vector<std::string> Core::living_processes() const {
  std::vector<std::string> ids;
  services_.for_each([&](std::uint64_t, const ServiceState& service) {
    if (service.alive()) ids.push_back(*service.id);
  });
  std::sort(ids.begin(), ids.end());
  return ids;
}

// Semantics 10: views and pools, events, answers, actions.
void Core::end_turn() {
  settle();
  run_staged();
  stop_next();
  if (running_) {
    grant_permits();
    admit();
    settle();
    watch_failed();
  }
  ++turns_;
  if (!dirty_.empty() || board_changed_ || publisher_.head() != board_.seq) {
    auto by_id = board_.by_id.edit();
    auto in_order = board_.in_order.edit();
    board_.seq = publisher_.head();
    const std::uint64_t before = views_built_;
    for (const std::uint64_t serial : dirty_) {
      ServiceState* service = by_serial(serial);
      if (service == nullptr) continue;
      service->dirty = false;
      if (service->leaving) continue;
      const ViewPtr view = build_view(*service);
      ++views_built_;
      by_id.set(view);
      wake(*service->id);
      in_order.set(service->order, view);
    }
    if (!dirty_.empty()) turn_views_ = views_built_ - before;
    dirty_.clear();
    board_.by_id = by_id.done();
    board_.in_order = in_order.done();
    board_.running = running_;
    board_changed_ = false;
    publisher_.publish(std::make_shared<const Board>(board_));
  } else {
    publisher_.publish(nullptr);
  }
  check_waiters();
  for (const auto& answer : std::exchange(answers_, {})) answer();
  for (const auto& send : std::exchange(sends_, {})) send();
  send_asks();
  probe_timer_.rearm();
}

// What fell due in this turn, without those whose process ended or whose configuration changed later in it.
void Core::send_asks() {
  std::erase_if(asks_, [this](const health::ProbeRequest& ask) {
    const ServiceState* service = by_serial(ask.serial);
    const bool current = service != nullptr && service->probe_mode != health::Mode::paused &&
                         ask.incarnation == service->machine.incarnation && ask.generation == service->generation;
    if (!current) scheduler_.done(ask.serial, loop_.now().steady);
    return !current;
  });
  if (!asks_.empty()) prober_.ask(std::exchange(asks_, {}));
}

std::vector<std::string> Core::violations() const {
  std::vector<std::string> found;
  services_.for_each([&](std::uint64_t, const ServiceState& service) {
    const std::string& id = *service.id;
    const healing::Machine& machine = service.machine;
    const int limit = service.spec->restart.max_restarts;
    if (limit >= 0 && machine.attempts > limit) found.push_back(id + ": budget exceeded");
    const bool ready = machine.lifecycle == Lifecycle::ready || machine.lifecycle == Lifecycle::watching;
    if (!ready && service.status == HealthStatus::healthy && service.process()) {
      found.push_back(id + ": healthy while " + std::string(wire_name(machine.lifecycle)));
    }
    const bool timed = machine.lifecycle == Lifecycle::starting || machine.lifecycle == Lifecycle::stopping ||
                       machine.lifecycle == Lifecycle::killing || machine.lifecycle == Lifecycle::backoff;
    if (timed && !machine.deadline) {
      found.push_back(id + ": " + std::string(wire_name(machine.lifecycle)) + " without a deadline");
    }
  });
  return found;
}

}  // namespace azora::orchestrator
