#pragma once
// The control core: owns all state, takes every decision, lets one module's answer cause the next step.
// Knows no thread and no descriptor: world, time and publication are behind Loop, Prober, Keeper, Publisher,
// so the simulation runs this very code on virtual time.
// Threads: the loop's thread only. Ownership: borrows what it is given, which outlives it.
// Turn: every entry point marks what changed; end_turn() (the loop's turn-end hook) publishes it, answers the
// waiting commands, then sends probes and process commands. Costs in proportion to what changed.
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "azora/base/loop.hpp"
#include "azora/base/result.hpp"
#include "azora/base/serial_map.hpp"
#include "azora/healing/permit.hpp"
#include "azora/healing/start_bucket.hpp"
#include "azora/health/probe_timer.hpp"
#include "azora/keeper/keeper.hpp"
#include "azora/orchestrator/orchestrator.hpp"
#include "azora/orchestrator/publisher.hpp"
#include "azora/orchestrator/service_state.hpp"
#include "azora/registry/dependency_graph.hpp"
#include "azora/registry/registry.hpp"

namespace azora::orchestrator {

struct CoreOptions {
  int max_concurrent_starts = 4;
  int starts_per_second = 50;
  std::size_t fd_limit = 1024;
};

class Core : public keeper::KeeperListener {
 public:
  // Reads what may not be asked of the disk on the control thread: stamps of argv's files. Answers on the
  // control thread, later or at once.
  using Stamped = std::function<void(std::vector<std::uint64_t>)>;
  using FileStamp = std::function<void(const LaunchSpec&, Stamped)>;

  Core(Loop& loop, health::Prober& prober, keeper::Keeper& keeper, Publisher& publisher, CoreOptions options);
  ~Core() override;

  void start();
  // Answers the ids that did not stop, when all stopped or `deadline` passed.
  void stop(SteadyTime deadline, std::function<void(std::vector<std::string>)> done);
  bool running() const { return running_; }

  Result<std::uint64_t> register_many(std::vector<SpecPtr> specs, std::string_view actor);
  Result<bool> unregister(std::string_view id, std::string_view actor);
  Result<VerbAnswer> command(Verb verb, std::string_view id, bool dependents, bool dependencies,
                             std::string_view actor);
  // Answers when the service is ready (or stopped) and no verb for it waits for its turn.
  void wait_for(std::string id, bool ready, SteadyTime deadline, std::function<void(Result<void>)> done);
  // Runs `answer` when this turn is published (semantics 10).
  void after_publish(std::function<void()> answer) { answers_.push_back(std::move(answer)); }
  // Ends every wait_for() and a stop() that is under way with this error, for the end of the program.
  void abandon_waiters();
  void callback_done(std::uint64_t serial, std::uint64_t incarnation, bool ok, const std::string& reason);
  void callback_failed(std::string reason);
  void set_callback_sink(std::function<void(CallbackRequest)> sink) { callback_sink_ = std::move(sink); }
  void set_file_stamp(FileStamp stamp) { file_stamp_ = std::move(stamp); }
  void set_usage(std::string_view id, std::uint64_t incarnation, double cpu_percent, std::int64_t rss_bytes);

  Result<std::string> why_json(std::string_view id);
  Result<std::string> dependencies_json(std::string_view id);
  std::string graph_json();
  std::string metrics_text() const;

  void end_turn();
  std::size_t processes_alive() const { return alive_; }

  // Checks what must hold after every turn; empty when it does. For the simulation.
  std::vector<std::string> violations() const;

 private:
  // The loop's, but within one batch of registrations or answers that of its beginning: reading the clocks costs as
  // much as many of the steps that ask for the time.
  Now time_now() const { return batch_time_ ? *batch_time_ : loop_.now(); }
  class OneTime {
   public:
    explicit OneTime(Core& core) : core_(core) { core_.batch_time_ = core_.loop_.now(); }
    ~OneTime() { core_.batch_time_.reset(); }
    OneTime(const OneTime&) = delete;
    OneTime& operator=(const OneTime&) = delete;

   private:
    Core& core_;
  };

  // reactions/on_probe.cpp
  void ask(const std::vector<health::Serial>& serials);
  void send_asks();
  void on_results(std::vector<health::ProbeResult> results);
  void on_result(const health::ProbeResult& result);
  void emit_check(const ServiceState& service, health::Verdict verdict);
  void note_alive(ServiceState& service);
  void apply_probe_mode(ServiceState& service);

  // reactions/on_process.cpp (KeeperListener)
  void on_started(keeper::Serial serial, std::uint64_t incarnation, int pid, Now at) override;
  void on_start_failed(keeper::Serial serial, std::uint64_t incarnation, std::string reason) override;
  void on_exited(keeper::Serial serial, std::uint64_t incarnation, const keeper::Exit& exit) override;
  void on_swept(keeper::Serial serial, std::uint64_t incarnation) override;
  void on_lost(keeper::Serial serial, std::uint64_t incarnation, std::string reason) override;
  void on_log_dropped(keeper::Serial serial, std::uint64_t lines) override;
  void on_link(bool up, std::string reason) override;

  // reactions/drive.cpp: one machine's step and what follows from it
  void feed(ServiceState& service, const healing::Input& input);
  void perform(ServiceState& service, const healing::Action& action);
  void tell(ServiceState& service, const healing::Notice& notice);
  void refresh_status(ServiceState& service);
  void tell_brake(const healing::KillPermits::Brake& brake);
  void rearm(ServiceState& service);
  void after_step(ServiceState& service, Lifecycle before);
  void settle();                          // dependents, admissions, permits until nothing moves
  void evaluate_dependencies(ServiceState& service);
  bool satisfied(const Dependency& dependency) const;
  void admit();
  void grant_permits();
  void watch_failed();
  void look_at_files(const ServiceState& service);
  void stop_by(SteadyTime deadline);
  void stop_next();
  void look_to_stop(const ServiceSpec& spec);
  void stop_unless_needed(ServiceState& service);
  void answer_stop(std::vector<std::string> left);
  std::vector<std::string> living_processes() const;

  // reactions/on_verb.cpp
  // A verb that is carried out when none of `after` runs any more; then those of `raise` are started again.
  struct Staged {
    std::uint64_t serial;
    Verb verb;
    std::vector<std::uint64_t> after;
    std::vector<std::uint64_t> raise;
    Desired wanted;
  };
  void stage(Staged staged);
  void drop_staged(std::uint64_t serial);
  bool is_staged(std::uint64_t serial) const;
  void run_staged();
  void raise_again(std::uint64_t serial);
  void tell_verb(ServiceState& service, Verb verb);
  std::vector<std::uint64_t> living_dependents(const ServiceState& service) const;

  // reactions/on_wait.cpp
  void wake(const std::string& id);
  void check_waiters();

  // reactions/on_command.cpp
  ServiceState* find(std::string_view id);
  const ServiceState* find(std::string_view id) const;
  ServiceState* by_serial(std::uint64_t serial);
  const ServiceState* by_serial(std::uint64_t serial) const;
  void add(const registry::Entry& entry);
  void replace(ServiceState& service, const registry::Entry& entry, const ServiceSpec& old);
  void remove(ServiceState& service, const std::vector<std::string>& heirs = {});
  void configure(ServiceState& service);
  void join_permits(ServiceState& service);
  void bring_up(ServiceState& service);
  void retire_replicas(const std::vector<std::pair<const registry::Entry*, SpecPtr>>& put);
  void leave(ServiceState& service, const std::vector<std::string>& heirs = {});
  void finish_leaving(ServiceState& service);

  // view_builder.cpp
  void mark(ServiceState& service);
  ViewPtr build_view(const ServiceState& service) const;
  std::uint64_t emit(EventType type, const ServiceState& service, std::string_view cause,
                     std::unique_ptr<const EventDetail> detail = nullptr);
  Event event_of(EventType type, const ServiceState& service, std::string_view cause) const;
  Standing standing_of(const ServiceState& service) const;
  void publish_standing(const ServiceState& service);

  Loop& loop_;
  std::optional<Now> batch_time_;
  health::Prober& prober_;
  keeper::Keeper& keeper_;
  Publisher& publisher_;
  CoreOptions options_;

  registry::Registry registry_;
  registry::DependencyGraph graph_;
  SerialMap<ServiceState> services_;
  std::unordered_map<std::string, std::vector<std::uint64_t>> leaving_;         // ids whose old process is going
  std::unordered_map<std::string, std::set<std::uint64_t>> replicas_;           // serials by the id of their entry

  health::Scheduler scheduler_;
  health::LatenessGuard guard_;
  health::ProbeTimer probe_timer_;
  healing::StartBucket bucket_;
  healing::KillPermits permits_;
  TimerId bucket_timer_ = 0;
  TimerId failed_timer_ = 0;
  TimerId permit_timer_ = 0;

  bool running_ = false;
  std::function<void(std::vector<std::string>)> stop_done_;
  TimerId stop_timer_ = 0;
  SteadyTime stop_deadline_{};
  std::vector<std::uint64_t> stop_looks_;           // whose last dependent may have ended, while stopping

  struct Waiter {
    std::string id;
    bool ready;
    TimerId timer;
    std::function<void(Result<void>)> done;
  };
  Waiter take_waiter(std::uint64_t key);
  std::unordered_map<std::uint64_t, Waiter> waiters_;
  std::unordered_map<std::string, std::vector<std::uint64_t>> waiting_for_;  // keys of waiters by id
  std::vector<std::uint64_t> woken_;                // waiters whose service changed in this turn
  std::uint64_t last_waiter_ = 0;

  std::vector<Staged> staged_;
  std::deque<std::uint64_t> unsettled_;             // serials whose dependents must look again
  std::set<std::uint64_t> wants_permit_;
  bool permits_moved_ = false;                      // something may be granted that was refused before
  std::set<std::uint64_t> failed_;
  std::size_t alive_ = 0;                           // services whose process may exist
  std::vector<std::uint64_t> dirty_;
  Board board_;
  bool board_changed_ = false;
  std::vector<health::ProbeRequest> asks_;
  std::vector<std::function<void()>> sends_;        // process commands of this turn
  std::vector<std::function<void()>> answers_;      // completions of this turn
  std::string_view actor_ = "orchestrator";
  bool settling_ = false;
  std::function<void(CallbackRequest)> callback_sink_;
  FileStamp file_stamp_;

  // Rule 13's counters.
  std::uint64_t turns_ = 0;
  std::uint64_t views_built_ = 0;
  std::uint64_t turn_views_ = 0;                    // by the last turn that built any
  std::uint64_t probes_asked_ = 0;
  std::uint64_t results_stale_ = 0;
  std::uint64_t results_void_ = 0;
  std::uint64_t log_dropped_ = 0;
};

}  // namespace azora::orchestrator
