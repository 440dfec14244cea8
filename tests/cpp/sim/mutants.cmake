# Mistakes that the simulation must find (R47): name, source, what it breaks, the right text, the wrong one.
# The right text stands in the source exactly once, else the build fails. PLANTED is true while the mutant is planted.

mutant(stale_result_accepted orchestrator/probing.cpp "answers of a former incarnation are believed"
[=[  if (result.incarnation != service.machine.incarnation ||]=]
[=[  if ((!PLANTED && result.incarnation != service.machine.incarnation) ||]=])

mutant(dead_are_asked orchestrator/probing.cpp "probes go on after the exit"
[=[      return service.owned() ? health::Mode::paused : health::Mode::grid;]=]
[=[      return !PLANTED && service.owned() ? health::Mode::paused : health::Mode::grid;]=])

mutant(double_start orchestrator/reactions/on_action.cpp "a start before the last descendant is proven gone"
[=[{.kind = Input::Kind::exited,]=]
[=[{.kind = PLANTED ? Input::Kind::lost : Input::Kind::exited,]=])

mutant(budget_not_spent healing/end.cpp "a failure restart costs nothing"
[=[  if (m_.budget.attempts < std::numeric_limits<int>::max()) ++m_.budget.attempts;]=]
[=[  if (!PLANTED && m_.budget.attempts < std::numeric_limits<int>::max()) ++m_.budget.attempts;]=])

mutant(explained_failure_spends healing/end.cpp "a failure while a dependency is down costs a restart"
[=[  if (!m_.deps_ok) {
    // Explained]=]
[=[  if (!PLANTED && !m_.deps_ok) {
    // Explained]=])

mutant(explained_start_stopped healing/step.cpp "a start that a dependency explains is stopped"
[=[  if (!m_.deps_ok) return begin_start_clock();  // explained: left alone until the dependency is back]=]
[=[  if (!PLANTED && !m_.deps_ok) return begin_start_clock();]=])

mutant(desired_down_forgotten healing/end.cpp "what was stopped comes up again"
[=[  if (m_.desired != Desired::up) {
    const Cause cause = m_.episode.cause;]=]
[=[  if (!PLANTED && m_.desired != Desired::up) {
    const Cause cause = m_.episode.cause;]=])

mutant(restart_delay_ignored healing/end.cpp "a restart before restartDelay is over"
[=[  if (due <= now_) return spend();]=]
[=[  if (PLANTED) m_.episode.earliest = now_;
  if (PLANTED || due <= now_) return spend();]=])

mutant(failed_told_again healing/end.cpp "serviceFailed after every single try"
[=[  if (!m_.told.failed) notice(]=]
[=[  if (PLANTED || !m_.told.failed) notice(]=])

mutant(never_tried_again healing/end.cpp "FAILED is for ever"
[=[  if (!retries() || interval <= Millis(0)) return;]=]
[=[  if (PLANTED || !retries() || interval <= Millis(0)) return;]=])

mutant(budget_back_at_once healing/start.cpp "the first answer gives the budget back"
[=[  close_episode();
  watch_stability(healthy);]=]
[=[  close_episode();
  if (PLANTED) m_.budget.attempts = 0;
  watch_stability(healthy);]=])

mutant(dependency_ignored healing/start.cpp "a start before what it needs"
[=[void Stepper::consider() {
  m_.timers.deadline.reset();]=]
[=[void Stepper::consider() {
  if (PLANTED) m_.deps_ok = true;
  m_.timers.deadline.reset();]=])

mutant(one_instance_is_enough orchestrator/fleet.cpp "a dependency is met by fewer instances than it asks for"
[=[  return reached >= dependency.min;]=]
[=[  return reached >= (PLANTED ? 1 : dependency.min);]=])

mutant(restarted_before_ready healing/reports.cpp "serviceRestarted at exec"
[=[  if (plan_.action.tells_exits) notice(Notice::Kind::started, m_.episode.start_cause);]=]
[=[  if (plan_.action.tells_exits) notice(Notice::Kind::started, m_.episode.start_cause);
  if (PLANTED && m_.episode.failing) notice(Notice::Kind::restarted, m_.episode.start_cause);]=])

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

mutant(mass_not_told orchestrator/drive.cpp "a mass failure is not told"
[=[      if (brake) emit_brake(turn_, *brake);]=]
[=[      if (!PLANTED && brake) emit_brake(turn_, *brake);]=])

mutant(called_twice healing/start.cpp "a restart callable is called again before it returned"
[=[  if (m_.action_running) return end_our_kill();]=]
[=[  if (!PLANTED && m_.action_running) return end_our_kill();]=])

mutant(late_result_blinds orchestrator/reactions/on_action.cpp "the late result of an action blinds the checks"
[=[  if (!verified_now) return;]=]
[=[  if (!PLANTED && !verified_now) return;]=])

mutant(event_before_publish orchestrator/turn.cpp "events are read before the state they tell of"
[=[  counts_.turns.add();]=]
[=[  counts_.turns.add();
  if (PLANTED) publisher_.publish(nullptr);]=])

mutant(action_before_publish orchestrator/core.cpp "commands leave before their turn is published"
[=[  turn_.publish({]=]
[=[  if (PLANTED) {
    for (Send& one : turn_.take_sends()) orchestrator::deliver(actions_, one);
  }
  turn_.publish({]=])

mutant(answer_before_publish orchestrator/turn.cpp "a command is answered before its turn is published"
[=[  counts_.turns.add();]=]
[=[  counts_.turns.add();
  if (PLANTED) {
    for (const auto& one : std::exchange(answers_, {})) one.at_once ? one.at_once() : one.stored({});
  }]=])

mutant(dependents_stop_last orchestrator/reactions/on_stop.cpp "what others need stops first"
[=[    if (needed) continue;]=]
[=[    if (!PLANTED && needed) continue;]=])

mutant(rotation_left_late orchestrator/reactions/on_action.cpp "an exit is told while the service can be picked"
[=[  // Out of rotation before the exit can be read.
  turn.set_standing(]=]
[=[  // Out of rotation before the exit can be read.
  if (!PLANTED) turn.set_standing(]=])

mutant(new_owner_does_not_wait orchestrator/fleet.cpp "a new owner of an id starts beside the old one"
[=[  service.held_back = leaving_.contains(*service.id);]=]
[=[  service.held_back = !PLANTED && leaving_.contains(*service.id);]=])

mutant(unhealthy_counted_up_only orchestrator/fleet.cpp "what recovers stays in the count"
[=[  unhealthy_ -= (before == HealthStatus::unhealthy ? 1U : 0U);]=]
[=[  unhealthy_ -= (!PLANTED && before == HealthStatus::unhealthy ? 1U : 0U);]=])

mutant(list_version_kept orchestrator/drive.cpp "lists change under one version"
[=[    turn_.lists_changed();
    emit_status(]=]
[=[    if (!PLANTED) turn_.lists_changed();
    emit_status(]=])

mutant(dependents_not_told orchestrator/drive.cpp "dependents do not look again when a dependency recovers"
[=[    evaluate_dependents(std::string(*changed->id));]=]
[=[    if (PLANTED && changed->status == HealthStatus::healthy) continue;
    evaluate_dependents(std::string(*changed->id));]=])

mutant(forgotten_too_early orchestrator/reactions/on_registration.cpp "a removed service is forgotten while it still runs"
[=[  if (service.machine.lifecycle != Lifecycle::idle && service.owned()) {]=]
[=[  if (!PLANTED && service.machine.lifecycle != Lifecycle::idle && service.owned()) {]=])

mutant(never_killed healing/step.cpp "who ignores the stop signal lives for ever"
[=[      enter(Lifecycle::killing, now_ + plan_.restart.kill_timeout);]=]
[=[      if (PLANTED) return;
      enter(Lifecycle::killing, now_ + plan_.restart.kill_timeout);]=])

mutant(stop_never_answered orchestrator/reactions/on_stop.cpp "stop() of the whole is not answered"
[=[  if (shutdown.under_way() && fleet.alive() == 0) end_stop(]=]
[=[  if (!PLANTED && shutdown.under_way() && fleet.alive() == 0) end_stop(]=])

mutant(stop_forgets_the_next orchestrator/drive.cpp "what an ended service needed is not stopped after it"
[=[  if (!shutdown_.under_way()) return;
  for (const Dependency& dependency]=]
[=[  if (PLANTED || !shutdown_.under_way()) return;
  for (const Dependency& dependency]=])

mutant(started_before_its_ticket orchestrator/commits.cpp "a start leaves before its incarnation is stored"
[=[    if (one.kind == Send::Kind::kill && !waits_for(one.run.serial)) {]=]
[=[    if (PLANTED || (one.kind == Send::Kind::kill && !waits_for(one.run.serial))) {]=])

mutant(acknowledged_before_its_ticket orchestrator/commits.cpp "a change is acknowledged before it is stored"
[=[      turn.answers.push_back(std::move(one));]=]
[=[      if (PLANTED) {
        one.stored({});
        continue;
      }
      turn.answers.push_back(std::move(one));]=])

mutant(refused_taken_for_stored orchestrator/commits.cpp "a change whose commit failed is acknowledged"
[=[    run(turn.answers, tickets_.is_committed(turn.ticket) ? Result<void>() : Result<void>(*trouble_));]=]
[=[    run(turn.answers, PLANTED || tickets_.is_committed(turn.ticket) ? Result<void>() : Result<void>(*trouble_));]=])

mutant(failed_rows_forgotten orchestrator/journal.cpp "what a failed commit held is never stored"
[=[    services_.insert(serial);
    prints_[serial] = 0;]=]
[=[    if (PLANTED) continue;
    services_.insert(serial);
    prints_[serial] = 0;]=])

mutant(crossed_launch_made orchestrator/commits.cpp "a start that was stopped while it waited is made"
[=[    if (one.kind == Send::Kind::start && !hooks_.wanted(one)) {]=]
[=[    if (!PLANTED && one.kind == Send::Kind::start && !hooks_.wanted(one)) {]=])

mutant(step_not_marked orchestrator/drive.cpp "what a step decided is published and not stored"
[=[  if (!is_of_check(input.kind) || (compared]=]
[=[  if ((!PLANTED && !is_of_check(input.kind)) || (compared]=])

mutant(retry_never orchestrator/commits.cpp "a store that works again is never tried"
[=[      retry_ = true;  // the turn's end commits]=]
[=[      if (!PLANTED) retry_ = true;  // the turn's end commits]=])

mutant(restart_along_forgotten orchestrator/drive.cpp "what goes along with a restarted dependency goes on"
[=[      if (restarted != nullptr) restart_along(*restarted);]=]
[=[      if (!PLANTED && restarted != nullptr) restart_along(*restarted);]=])
