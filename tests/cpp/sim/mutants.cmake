# Mistakes that the simulation must find (semantics 47): name, source, what it breaks, the right text, the wrong one.
# The right text stands in the source exactly once, else the build fails. PLANTED is true while the mutant is planted.

mutant(stale_result_accepted orchestrator/reactions/on_probe.cpp "answers of a former incarnation are believed"
[=[  if (result.incarnation != service->machine.incarnation ||]=]
[=[  if ((!PLANTED && result.incarnation != service->machine.incarnation) ||]=])

mutant(dead_are_asked orchestrator/reactions/on_probe.cpp "probes go on after the exit"
[=[        if (!service.process() && service.machine.lifecycle != Lifecycle::idle) mode = health::Mode::grid;]=]
[=[        if ((PLANTED || !service.process()) && service.machine.lifecycle != Lifecycle::idle) mode = health::Mode::grid;]=])

mutant(double_start healing/end.cpp "a start before the last descendant is proven gone"
[=[  if (kill) act(Action::Kind::send_kill);]=]
[=[  if (kill) act(Action::Kind::send_kill);
  if (PLANTED) gone();]=])

mutant(budget_not_spent healing/end.cpp "a failure restart costs nothing"
[=[  if (m_.attempts < std::numeric_limits<int>::max()) ++m_.attempts;]=]
[=[  if (!PLANTED && m_.attempts < std::numeric_limits<int>::max()) ++m_.attempts;]=])

mutant(explained_failure_spends healing/end.cpp "a failure while a dependency is down costs a restart"
[=[  if (!m_.deps_ok) {
    // Explained]=]
[=[  if (!PLANTED && !m_.deps_ok) {
    // Explained]=])

mutant(desired_down_forgotten healing/end.cpp "what was stopped comes up again"
[=[  if (m_.desired != Desired::up) {
    const Cause cause = m_.cause;]=]
[=[  if (!PLANTED && m_.desired != Desired::up) {
    const Cause cause = m_.cause;]=])

mutant(restart_delay_ignored healing/end.cpp "a restart before restartDelay is over"
[=[  if (due <= now_) return spend();]=]
[=[  if (PLANTED) m_.earliest = now_;
  if (PLANTED || due <= now_) return spend();]=])

mutant(failed_told_again healing/end.cpp "serviceFailed after every single try"
[=[  if (!m_.announced_failed) tell(]=]
[=[  if (PLANTED || !m_.announced_failed) tell(]=])

mutant(never_tried_again healing/end.cpp "FAILED is for ever"
[=[  if (!retries() || interval <= Millis(0)) return;]=]
[=[  if (PLANTED || !retries() || interval <= Millis(0)) return;]=])

mutant(budget_back_at_once healing/start.cpp "the first answer gives the budget back"
[=[  m_.failing = false;
  m_.half_open = false;
  m_.announced_failed = false;
  m_.cause = Cause::none;
  m_.start_cause = Cause::none;
  m_.down_since.reset();
  m_.earliest.reset();
  watch_stability(healthy);]=]
[=[  m_.failing = false;
  m_.half_open = false;
  m_.announced_failed = false;
  m_.cause = Cause::none;
  m_.start_cause = Cause::none;
  m_.down_since.reset();
  m_.earliest.reset();
  if (PLANTED) m_.attempts = 0;
  watch_stability(healthy);]=])

mutant(dependency_ignored healing/start.cpp "a start before what it needs"
[=[void Life::consider() {
  m_.deadline.reset();]=]
[=[void Life::consider() {
  if (PLANTED) m_.deps_ok = true;
  m_.deadline.reset();]=])

mutant(restarted_before_ready healing/step.cpp "serviceRestarted at exec"
[=[  tell(Notice::Kind::started, m_.start_cause);]=]
[=[  tell(Notice::Kind::started, m_.start_cause);
  if (PLANTED && m_.failing) tell(Notice::Kind::restarted, m_.start_cause);]=])

mutant(slot_kept healing/start_bucket.cpp "start slots without end"
[=[  if (queue_.empty() || full()) return std::nullopt;
  if (per_second_ > 0) {]=]
[=[  if (queue_.empty() || (!PLANTED && full())) return std::nullopt;
  if (!PLANTED && per_second_ > 0) {]=])

mutant(permit_for_all healing/permit.cpp "a whole group is killed at a time"
[=[  if (group.held >= std::max<std::size_t>(1, group.members / 2)) return false;]=]
[=[  if (!PLANTED && group.held >= std::max<std::size_t>(1, group.members / 2)) return false;]=])

mutant(brake_ignored healing/permit.cpp "kills for failed checks go on while most are bad"
[=[  if (braked(member, now)) return false;]=]
[=[  if (!PLANTED && braked(member, now)) return false;]=])

mutant(mass_not_told orchestrator/reactions/drive.cpp "a mass failure is kept for oneself"
[=[    if (brake) tell_brake(*brake);]=]
[=[    if (!PLANTED && brake) tell_brake(*brake);]=])

mutant(called_twice healing/start.cpp "a restart callable is called again before it returned"
[=[  if (m_.action_running) return;]=]
[=[  if (!PLANTED && m_.action_running) return;]=])

mutant(event_before_publish orchestrator/core.cpp "events are read before the state they tell of"
[=[  ++turns_;]=]
[=[  ++turns_;
  if (PLANTED) publisher_.publish(nullptr);]=])

mutant(action_before_publish orchestrator/core.cpp "commands leave before their turn is published"
[=[  ++turns_;]=]
[=[  ++turns_;
  if (PLANTED) {
    for (const auto& send : std::exchange(sends_, {})) send();
  }]=])

mutant(answer_before_publish orchestrator/core.cpp "a command is answered before its turn is published"
[=[  ++turns_;]=]
[=[  ++turns_;
  if (PLANTED) {
    for (const auto& answer : std::exchange(answers_, {})) answer();
  }]=])

mutant(dependents_stop_last orchestrator/core.cpp "what others need stops first"
[=[  if (needed) return;]=]
[=[  if (!PLANTED && needed) return;]=])

mutant(rotation_left_late orchestrator/reactions/on_process.cpp "an exit is told while the service can be picked"
[=[  // Out of rotation before anybody can read of the exit.
  publisher_.set_standing(]=]
[=[  // Out of rotation before anybody can read of the exit.
  if (!PLANTED) publisher_.set_standing(]=])

mutant(heir_does_not_wait orchestrator/reactions/on_command.cpp "a new bearer of an id starts beside the old one"
[=[  service.held_back = leaving_.contains(*service.id);]=]
[=[  service.held_back = !PLANTED && leaving_.contains(*service.id);]=])

mutant(unhealthy_counted_up_only orchestrator/reactions/drive.cpp "who recovers stays in the count"
[=[    board_.unhealthy -= (old == HealthStatus::unhealthy ? 1U : 0U);]=]
[=[    board_.unhealthy -= (!PLANTED && old == HealthStatus::unhealthy ? 1U : 0U);]=])

mutant(list_version_kept orchestrator/reactions/drive.cpp "lists change under one version"
[=[    publish_standing(service);
    ++board_.list_version;
    auto detail]=]
[=[    publish_standing(service);
    board_.list_version += PLANTED ? 0 : 1;
    auto detail]=])

mutant(dependents_not_told orchestrator/reactions/drive.cpp "nobody looks again when a dependency recovers"
[=[        if (ServiceState* service = find(dependent)) evaluate_dependencies(*service);
      }
      continue;]=]
[=[        if (PLANTED && changed->status == HealthStatus::healthy) continue;
        if (ServiceState* service = find(dependent)) evaluate_dependencies(*service);
      }
      continue;]=])

mutant(forgotten_too_early orchestrator/reactions/on_command.cpp "a removed service is forgotten while it still runs"
[=[  if (service.machine.lifecycle != Lifecycle::idle && service.process()) {]=]
[=[  if (!PLANTED && service.machine.lifecycle != Lifecycle::idle && service.process()) {]=])

mutant(never_killed healing/step.cpp "who ignores the stop signal lives for ever"
[=[      enter(Lifecycle::killing, now_ + plan_.restart.kill_timeout);]=]
[=[      if (PLANTED) return;
      enter(Lifecycle::killing, now_ + plan_.restart.kill_timeout);]=])

mutant(stop_never_answered orchestrator/core.cpp "stop() of the whole is not answered"
[=[  if (stop_done_ && processes_alive() == 0) answer_stop({});]=]
[=[  if (!PLANTED && stop_done_ && processes_alive() == 0) answer_stop({});]=])

mutant(stop_forgets_the_next orchestrator/core.cpp "what an ended service needed is not stopped after it"
[=[  if (!stop_done_) return;
  for (const Dependency& dependency]=]
[=[  if (PLANTED || !stop_done_) return;
  for (const Dependency& dependency]=])
