#include "azora/orchestrator/runtime.hpp"

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "azora/listeners/look.hpp"
#include "azora/orchestrator/file_stamp.hpp"
#include "azora/orchestrator/reads/history.hpp"
#include "azora/orchestrator/runtime_options.hpp"

namespace azora::orchestrator {
namespace {

constexpr Millis kLeaseSweep{1'000};
constexpr Millis kKeeperEnd{5'000};  // until the shims have killed what a stop left over

}  // namespace

// The work of a thread that died is not done any more. /readyz says so at once, and the next turn emits an event.
ThreadDied Orchestrator::Impl::died() {
  return [this](const char* name, const std::string& reason) {
    core_.self().set(Part::threads, "its thread " + std::string(name) + " died: " + reason + "; restart the program");
    control_.loop().post([] {});
  };
}

Orchestrator::Impl::Impl(Options options)
    : options_(std::move(options)),
      state_(options_, control_.loop(), died()),
      events_(std::make_shared<events::EventLog>(events::Limits{}, state_.first_event(), state_.former_log())),
      balancer_(balancer_options(work_.loop())),
      publisher_(balancer_, *events_),
      checks_(control_.loop(), prober_options(died()), died()),
      actions_(control_.loop(), keeper_options(options_, state_, died())),
      core_(control_.loop(), checks_.prober, actions_.table, state_.store(), publisher_, core_options(options_)),
      usage_(work_.loop(), [this] { return publisher_.board(); },
             [this](UsageReport report) {
               control_.loop().post([this, report = std::move(report)] {
                 for (const UsageFigure& one : report) core_.set_usage(one.id, one.incarnation, one.cpu_percent, one.rss_bytes);
               });
             }) {
  publisher_.set_keep(state_.keep());
  core_.set_listener_desk(checks_.listeners);
  core_.set_file_stamp([this](const LaunchSpec& spec, Stamped answer) { stamp(spec, std::move(answer)); });
  balancer_.set_lease_hook([this] { work_.loop().post([this] { sweep_leases(); }); });
  control_.loop().set_turn_end([this] { core_.end_turn(); });
}

Orchestrator::Impl::~Impl() { close(Millis{0}); }

Result<void> Orchestrator::Impl::open() {
  return opening_.open([this]() -> Result<void> {
    if (state_.error()) return *state_.error();
    if (Result<void> started = work_.start(); !started) return started;
    if (Result<void> started = control_.start(); !started) return started;
    if (state_.is_durable()) {
      on_control([this](const auto& promise) {
        core_.restore(state_.take_fleet());
        core_.after_publish([promise] { promise->keep({}); });
      });
    }
    return {};
  });
}

Result<void> Orchestrator::Impl::start() {
  return read<Result<void>>([this](Core& core) -> Result<void> {
    if (Result<void> started = checks_.prober.start(); !started) return started;
    return core.start();
  });
}

Result<std::vector<std::string>> Orchestrator::Impl::stop(Millis deadline, bool for_good) {
  using Answer = Result<std::vector<std::string>>;
  const StopScope scope = for_good ? last_scope() : StopScope::all;
  return await<Answer>([deadline, scope](Core& core, const auto& promise) {
    core.stop(AsioLoop::steady_now() + deadline,
              [promise](const std::vector<std::string>& left) { promise->keep(left); }, scope);
  });
}

template <typename Body>
void Orchestrator::Impl::on_control(Body body) {
  const auto reply = std::make_shared<Reply<Result<void>>>();
  auto promise = std::make_shared<Promise<Result<void>>>([reply](Result<void> done) { reply->set(std::move(done)); });
  control_.loop().post([promise = std::move(promise), body = std::move(body)] { body(promise); });
  (void)reply->wait().ok();
}

void Orchestrator::Impl::close(Millis deadline) {
  if (!gate_.close()) return;
  actions_.callables.close();
  if (!opening_.close()) {
    gate_.drain();
    return state_.close();
  }
  const SteadyTime until = AsioLoop::steady_now() + deadline;
  bool handed_over = false;  // something runs on, for the next orchestrator
  on_control([this, until, &handed_over](const auto& promise) {
    const auto done = [this, promise, &handed_over](const std::vector<std::string>& left) {
      handed_over = core_.processes_alive() > left.size();
      promise->keep({});
    };
    core_.close(until, done, last_scope());
  });
  if (handed_over) return hand_over();
  control_.loop().post([this] { core_.abandon_waiters(); });
  gate_.drain();
  // A process that the stop left over is killed as soon as the time is up.
  actions_.keeper.stop(std::clamp(to_millis(until - AsioLoop::steady_now()), Millis{0}, kKeeperEnd));
  end_threads();
}

Result<void> Orchestrator::Impl::leave() {
  if (!state_.is_durable()) {
    return Error{ErrorCode::invalid_argument, "leave: services continue without an orchestrator only if it has a state directory", {}};
  }
  if (!gate_.close()) return {};
  actions_.callables.close();
  if (!opening_.close()) {
    gate_.drain();
    state_.close();
    return {};
  }
  hand_over();
  return {};
}

void Orchestrator::Impl::hand_over() {
  // What was decided so far is stored and sent, as far as the store works.
  on_control([this](const auto& promise) { core_.after_commit([promise](const Result<void>&) { promise->keep({}); }); });
  control_.loop().post([this] { core_.abandon_waiters(); });
  gate_.drain();
  actions_.keeper.leave();
  end_threads();
}

void Orchestrator::Impl::end_threads() {
  on_control([this](const auto& promise) {
    checks_.prober.stop();
    checks_.listeners.stop();
    promise->keep({});
  });
  work_.stop();
  control_.stop();
  state_.close();
}

std::string Orchestrator::Impl::trouble() {
  std::string found = core_.self().trouble();
  const CallGate::Pass pass(gate_);
  if (!pass || !opening_.is_open()) return found;
  const std::optional<Nanos> silent = pulse_.check(AsioLoop::steady_now(), [this](Task beat) { control_.loop().post(std::move(beat)); });
  if (silent) {
    found += (found.empty() ? "" : "; ") + std::string("the control thread has not answered for ") +
             std::to_string(to_millis(*silent).count()) + " ms";
  }
  return found;
}

// Reading a stamp may wait for a disk. So it is read on az-work, and the control thread gets the answer.
void Orchestrator::Impl::stamp(const LaunchSpec& spec, Stamped answer) {
  work_.loop().post([this, argv = spec.argv, cwd = spec.cwd, answer = std::move(answer)]() mutable {
    std::vector<std::uint64_t> numbers = file_stamp(argv, cwd, std::getenv("PATH"));
    control_.loop().post([answer = std::move(answer), numbers = std::move(numbers)] { answer(numbers); });
  });
}

// Ends expired leases, and runs again as long as leases are held.
void Orchestrator::Impl::sweep_leases() {
  const SteadyTime now = AsioLoop::steady_now();
  balancer_.expire_leases(now);
  if (balancer_.rest_lease_hook()) return;
  work_.loop().at(now + kLeaseSweep, [this] { sweep_leases(); });
}

Result<std::vector<Request>> Orchestrator::Impl::read_requests(const std::vector<std::string>& texts) const {
  return orchestrator::read_requests(texts, [this](std::string_view name) { return owned_entry(board()->entry(name)); });
}

// The kernel is asked on the caller's thread. If it names another program, a service that is believed is checked again.
WhySources Orchestrator::Impl::why_sources() {
  WhySources sources = core_.why_sources();
  sources.listener = [this](const ServiceView& view, const listeners::Question& question) {
    listeners::SocketHolders holders;
    listeners::Answer answer = listeners::look(question, holders);
    const bool believed = view.lifecycle == Lifecycle::ready && view.status == HealthStatus::healthy;
    if (believed && answer.kind == listeners::Answer::Kind::foreign) {
      post([serial = view.serial](Core& core) { core.doubt_listener(serial); });
    }
    return answer;
  };
  return sources;
}

std::string Orchestrator::Impl::metrics_text() const {
  const std::shared_ptr<const Board> board = publisher_.board();
  return orchestrator::metrics_text({.board = *board,
                                     .self = core_.self(),
                                     .core = core_.counts(),
                                     .events_head = publisher_.seq(),
                                     .turn_members_touched = publisher_.members_touched_in_turn(),
                                     .pools = balancer_.metrics(),
                                     .net = checks_.prober.counters(),
                                     .list_bytes = bodies_.lists.bytes_made(),
                                     .graph_bytes = bodies_.graph.bytes_made(),
                                     .event_turns_handed_over = events_->handed_over(),
                                     .events_evicted = events_->evicted(),
                                     .history = state_.history_counts()});
}

// A page is read within the gate: the directory is not given up while a reader has its file.
Result<store::HistoryPage> Orchestrator::Impl::history(const store::HistoryQuery& query) {
  const CallGate::Pass pass(gate_);
  if (!pass) return closed();
  if (Result<void> open = this->open(); !open) return std::move(open).error();
  return read_history(state_.history(), *events_, query);
}

Result<std::unique_ptr<LogStream>> Orchestrator::Impl::follow_logs(std::string_view name, LogOptions options) {
  const std::shared_ptr<const Board> now = board();
  const std::vector<ViewPtr> views = now->services(name);
  if (views.empty()) return Error{ErrorCode::unknown_service, "Service not found", {}};
  if (!views.front()->spec->process) {
    return Error{ErrorCode::invalid_argument,
                 "service '" + std::string(name) + "' has no process here, so it has no output to show", {}};
  }
  LogStream::World world;
  world.sources = [this, name = std::string(name)] {
    std::vector<LogStream::Source> sources;
    for (const ViewPtr& view : board()->services(name)) {
      if (!view->spec->process) continue;
      sources.push_back({view->spec->id, view->serial, view->process ? view->process->log_loss : nullptr});
    }
    return sources;
  };
  world.folder = [this](std::uint64_t serial) {
    Result<std::string> known = actions_.keeper.log_folder(serial);
    return known ? std::move(known).value() : std::string();  // this fleet has not launched anything
  };
  return std::make_unique<LogStream>(std::move(world), options, now->entries.contains(name));
}

}  // namespace azora::orchestrator
