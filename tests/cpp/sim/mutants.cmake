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
[=[  if (PLANTED) commits_.end_turn({}, turn_.take_sends());
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
[=[  // The service leaves rotation before any reader can see the exit.
  turn.set_standing(]=]
[=[  // The service leaves rotation before any reader can see the exit.
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
[=[  if (shutdown.under_way() && !fleet.has_living(shutdown.scope())) end_stop(]=]
[=[  if (!PLANTED && shutdown.under_way() && !fleet.has_living(shutdown.scope())) end_stop(]=])

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

mutant(trouble_ends_unstored orchestrator/commits.cpp "trouble with the store ends before what it refused is stored"
[=[|| !tickets_.last_was_committed() || journal_.owes()) return;]=]
[=[|| (!(PLANTED && waiting_.empty()) && (!tickets_.last_was_committed() || journal_.owes()))) return;]=])

mutant(retry_never orchestrator/commits.cpp "a store that works again is never tried"
[=[      retry_ = true;  // the end of this turn commits]=]
[=[      if (!PLANTED) retry_ = true;  // the end of this turn commits]=])

mutant(restart_along_forgotten orchestrator/drive.cpp "what goes along with a restarted dependency goes on"
[=[      if (restarted != nullptr) restart_along(*restarted);]=]
[=[      if (!PLANTED && restarted != nullptr) restart_along(*restarted);]=])

mutant(stale_report_taken orchestrator/reactions/on_action.cpp "what is told of a former run is taken for the present one's"
[=[  const bool same = service != nullptr && service->own && service->machine.incarnation == run.incarnation;]=]
[=[  const bool same = service != nullptr && service->own && (PLANTED || service->machine.incarnation == run.incarnation);]=])

mutant(told_end_ignored healing/step.cpp "the end of what cannot be stopped is not believed"
[=[    case Kind::exited: return exits ? exited(]=]
[=[    case Kind::exited: return exits && (!PLANTED || owned()) ? exited(]=])

mutant(told_loss_ignored healing/step.cpp "what cannot be stopped is lost, and not missed"
[=[    case Kind::lost: return exits ? lost(input.flag)]=]
[=[    case Kind::lost: return exits && (!PLANTED || owned()) ? lost(input.flag)]=])

mutant(told_is_stopped healing/step.cpp "what cannot be stopped is told to stop"
[=[  if (owned() && running()) return stop(cause);]=]
[=[  if ((PLANTED ? plan_.action.tells_exits : owned()) && running()) return stop(cause);]=])

mutant(deaf_is_stopped healing/step.cpp "what never tells its end is stopped for its checks, and waited for"
[=[  if (owned()) return stop(Cause::liveness);]=]
[=[  if (PLANTED ? plan_.action.can_stop : owned()) return stop(Cause::liveness);]=])

mutant(answer_awaited_too_long healing/step.cpp "a start that is never answered is waited for, hour by hour"
[=[  begin_start_clock();
  m_.holds.slot = true;]=]
[=[  begin_start_clock();
  if (PLANTED) m_.timers.deadline = now_ + std::chrono::hours(1);
  m_.holds.slot = true;]=])

mutant(only_processes_stop orchestrator/reactions/on_stop.cpp "the stop of the whole leaves what is ours and no process"
[=[    if (service == nullptr || !service->owned()) continue;
    const bool over]=]
[=[    if (service == nullptr || !service->owned() || (PLANTED && !service->process())) continue;
    const bool over]=])

mutant(only_processes_end orchestrator/drive.cpp "an action is asked for its name, not for what it can do"
[=[                 .tells_exits = spec.action->tells_exits,]=]
[=[                 .tells_exits = PLANTED ? spec.action == &kProcessAction : spec.action->tells_exits,]=])

mutant(stale_generation_accepted orchestrator/probing.cpp "answers to checks of a former configuration are believed"
[=[      result.generation != service.generation ||]=]
[=[      (!PLANTED && result.generation != service.generation) ||]=])

mutant(budget_without_end healing/end.cpp "the budget is counted and never over"
[=[  const bool spent = policy.max_restarts >= 0 &&]=]
[=[  const bool spent = !PLANTED && policy.max_restarts >= 0 &&]=])

mutant(delay_never_grows healing/backoff.cpp "the tenth restart waits no longer than the first"
[=[  const int doublings = has_base ? attempt - 1 : attempt - 2;]=]
[=[  const int doublings = PLANTED ? 0 : has_base ? attempt - 1 : attempt - 2;]=])

mutant(brake_without_end healing/permit.cpp "after a mass failure nothing is healed any more"
[=[  if (now > domain.quiet_at || now - domain.braked_at > kLongestBrake) {]=]
[=[  if (!PLANTED && (now > domain.quiet_at || now - domain.braked_at > kLongestBrake)) {]=])

mutant(permit_not_returned orchestrator/admission.cpp "a permit that is given back is never granted again"
[=[  permits_.release(serial);
  permits_moved_ = true;]=]
[=[  if (!PLANTED) permits_.release(serial);
  permits_moved_ = true;]=])

mutant(degraded_is_enough orchestrator/fleet.cpp "what needs a healthy service starts when that is up"
[=[    case Condition::healthy: return up && service.status == HealthStatus::healthy;]=]
[=[    case Condition::healthy: return up && (PLANTED || service.status == HealthStatus::healthy);]=])

mutant(dependents_not_waited_for orchestrator/verbs.cpp "a service is stopped beside the dependents that it takes along"
[=[    return std::none_of(one.after.begin(), one.after.end(), runs);]=]
[=[    return PLANTED || std::none_of(one.after.begin(), one.after.end(), runs);]=])

mutant(taken_along_left_down orchestrator/reactions/on_command.cpp "what was stopped for a restart stays down"
[=[    raise_again(fleet, turn, drive, due->raise);]=]
[=[    if (!PLANTED) raise_again(fleet, turn, drive, due->raise);]=])

mutant(started_while_stopped orchestrator/core.cpp "starts go on while the whole stops"
[=[  if (fleet_.running()) admit();]=]
[=[  if (PLANTED || fleet_.running()) admit();]=])

mutant(never_means_nothing healing/end.cpp "what is never to be restarted is restarted"
[=[  return plan_.restart.on != RestartOn::never && plan_.restart.max_restarts != 0;]=]
[=[  return (PLANTED || plan_.restart.on != RestartOn::never) && plan_.restart.max_restarts != 0;]=])

mutant(exit_0_restarted healing/end.cpp "what ended as it should is started again"
[=[  return m_.episode.cause == Cause::clean && plan_.restart.on != RestartOn::always;]=]
[=[  return !PLANTED && m_.episode.cause == Cause::clean && plan_.restart.on != RestartOn::always;]=])

mutant(dead_are_heard orchestrator/probing.cpp "an answer that was asked for before the exit counts after it"
[=[  const bool ended = check.mode == health::Mode::paused;]=]
[=[  const bool ended = !PLANTED && check.mode == health::Mode::paused;]=])

mutant(stranger_believed orchestrator/ownership.cpp "the answer of another program counts as the service's"
[=[  const bool of_another = answer.kind == Answer::Kind::foreign;]=]
[=[  const bool of_another = !PLANTED && answer.kind == Answer::Kind::foreign;]=])

mutant(believed_before_asked orchestrator/ownership.cpp "an answer counts before the kernel has said whose it is"
[=[  if (proof.question == 0) ask(service);
  return true;]=]
[=[  if (proof.question == 0) ask(service);
  return !PLANTED;]=])

mutant(proof_outlives_a_failure orchestrator/ownership.cpp "after failed checks it is not asked anew whose listener it is"
[=[    case health::Verdict::fail: begin_anew(proof); return false;]=]
[=[    case health::Verdict::fail:
      if (!PLANTED) begin_anew(proof);
      return false;]=])

mutant(proof_outlives_its_run orchestrator/ownership.cpp "a new run is believed by the proof of the last one"
[=[  if (!is_of_run(proof, service)) {]=]
[=[  if (!PLANTED && !is_of_run(proof, service)) {]=])

mutant(change_of_listener_unseen orchestrator/listening.cpp "it is not asked whose the listener is that came between two passing checks"
[=[  ownership_.listener_changed(*service);]=]
[=[  if (!PLANTED) ownership_.listener_changed(*service);]=])

mutant(unmasked_unchecked orchestrator/ownership.cpp "the kernel names a stranger between two checks, and no check is made for it"
[=[  if (held == nullptr && changed && of_another) unmasked_(service);]=]
[=[  if (!PLANTED && held == nullptr && changed && of_another) unmasked_(service);]=])

mutant(port_given_up_unseen orchestrator/port_evidence.cpp "a failed service is not tried again when its address is given up"
[=[  if (was_held && (answer.kind == Kind::no_listener || answer.kind == Kind::ours)) found_(*service);]=]
[=[  if (!PLANTED && was_held && (answer.kind == Kind::no_listener || answer.kind == Kind::ours)) found_(*service);]=])

mutant(maintained_is_healed orchestrator/owner_changes.cpp "what is under maintenance is healed"
[=[  if (service.wanted == Desired::up) service.wanted = Desired::hold;]=]
[=[  if (!PLANTED && service.wanted == Desired::up) service.wanted = Desired::hold;]=])

mutant(drained_is_picked orchestrator/standing.cpp "a service that is drained stays in rotation"
[=[  standing.admin = admin_of(service);]=]
[=[  if (!PLANTED) standing.admin = admin_of(service);]=])

# What follows shows only where an orchestrator ends and the next one takes its fleet back.

mutant(numbers_begin_again orchestrator/durable.cpp "the next orchestrator counts its runs from 0"
[=[  service.machine = std::move(machine).value();]=]
[=[  service.machine = std::move(machine).value();
  if (PLANTED) service.machine.incarnation = 0;]=])

mutant(exit_of_the_absence_forgotten orchestrator/reactions/on_action.cpp "what ended while no orchestrator lived is believed to run"
[=[  const Lifecycle state = service->machine.lifecycle;
  // The planned]=]
[=[  const Lifecycle state = service->machine.lifecycle;
  if (PLANTED && state == Lifecycle::adopt) return;
  // The planned]=])

mutant(stop_before_the_end_forgotten healing/restored.cpp "a stop that was decided is forgotten by the next orchestrator"
[=[bool is_ending(const Machine& machine) {]=]
[=[bool is_ending(const Machine& machine) {
  if (PLANTED) return false;]=])

mutant(not_taken_over orchestrator/reactions/on_restore.cpp "what runs is not asked for"
[=[  service.own->adopting = true;
  rooms.turn.send(]=]
[=[  service.own->adopting = true;
  if (!PLANTED) rooms.turn.send(]=])

mutant(backoff_hastened_by_us healing/restored.cpp "whoever starts us again starts all that waits for its time"
[=[  machine.deps_ok = machine.deps_ok && waits_for_its_time;]=]
[=[  machine.deps_ok = !PLANTED && machine.deps_ok && waits_for_its_time;]=])

mutant(failed_not_watched_again orchestrator/drive.cpp "a failed service is not tried again when its address is given up, because we were started again"
[=[  evidence_.set_failed(service.serial, service.machine.lifecycle == Lifecycle::failed);]=]
[=[  if (!PLANTED) evidence_.set_failed(service.serial, service.machine.lifecycle == Lifecycle::failed);]=])

mutant(permit_lost_by_us orchestrator/drive.cpp "the next orchestrator kills more of a group at a time"
[=[  if (service.machine.holds.permit) admission_.keep_permit(]=]
[=[  if (!PLANTED && service.machine.holds.permit) admission_.keep_permit(]=])

mutant(unstored_run_forgotten orchestrator/action_reports.cpp "a run that the failing store did not learn of belongs to no service"
[=[  if ((keeper::has_process(record.phase) || unheard) && on_newer_run(]=]
[=[  if (!PLANTED && (keeper::has_process(record.phase) || unheard) && on_newer_run(]=])
