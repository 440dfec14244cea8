#pragma once
// The rows of every record, once: visit(name, field) for each, in the order they are stored in. Writer, reader and
// tests all walk these lists, so a field that is not here is in none of them. `Record` is const for a writer.
// Threads: any. Fails: as the visitor does.
#include "azora/store/records.hpp"

namespace azora::store {

template <typename Record>
concept AnyHeads = std::same_as<std::remove_const_t<Record>, HeadsRecord>;
template <typename Record>
concept AnyEntry = std::same_as<std::remove_const_t<Record>, EntryRecord>;
template <typename Record>
concept AnyMachine = std::same_as<std::remove_const_t<Record>, MachineRecord>;
template <typename Record>
concept AnyStaged = std::same_as<std::remove_const_t<Record>, StagedRecord>;
template <typename Record>
concept AnyExit = std::same_as<std::remove_const_t<Record>, ExitRecord>;
template <typename Record>
concept AnyService = std::same_as<std::remove_const_t<Record>, ServiceRecord>;

// A structured binding names every field of a record: one that is added and not bound here does not compile, and one
// that is bound and not visited is left out of the bytes, which the round trip test finds.
void rows(AnyHeads auto& record, auto&& visit) {
  auto& [last_serial, next_order, event_seq, epoch] = record;
  visit("lastSerial", last_serial);
  visit("nextOrder", next_order);
  visit("eventSeq", event_seq);
  visit("epoch", epoch);
}

void rows(AnyEntry auto& record, auto&& visit) {
  auto& [name, source, origin, callback, actor, generation, order] = record;
  visit("name", name);
  visit("source", source);
  visit("origin", origin);
  visit("callback", callback);
  visit("actor", actor);
  visit("generation", generation);
  visit("order", order);
}

void rows(AnyMachine auto& record, auto&& visit) {
  auto& [lifecycle, desired, incarnation, deps_ok, ever_started, restart_asked, action_running, admission_asked, slot_held,
         permit_asked, permit_held, attempts, last_delay, recent_restarts, flapping, restart_count, cause, start_cause,
         failing, half_open, evidence_pending, announced_failed, announced_unavailable, announced_blocked, deadline,
         next_attempt, earliest, down_since, ready_since, stable_since, started, failed_at, last_evidence] = record;
  visit("lifecycle", lifecycle);
  visit("desired", desired);
  visit("incarnation", incarnation);
  visit("depsOk", deps_ok);
  visit("everStarted", ever_started);
  visit("restartAsked", restart_asked);
  visit("actionRunning", action_running);
  visit("admissionAsked", admission_asked);
  visit("slotHeld", slot_held);
  visit("permitAsked", permit_asked);
  visit("permitHeld", permit_held);
  visit("attempts", attempts);
  visit("lastDelay", last_delay);
  visit("recentRestarts", recent_restarts);
  visit("flapping", flapping);
  visit("restartCount", restart_count);
  visit("cause", cause);
  visit("startCause", start_cause);
  visit("failing", failing);
  visit("halfOpen", half_open);
  visit("evidencePending", evidence_pending);
  visit("announcedFailed", announced_failed);
  visit("announcedUnavailable", announced_unavailable);
  visit("announcedBlocked", announced_blocked);
  visit("deadline", deadline);
  visit("nextAttempt", next_attempt);
  visit("earliest", earliest);
  visit("downSince", down_since);
  visit("readySince", ready_since);
  visit("stableSince", stable_since);
  visit("started", started);
  visit("failedAt", failed_at);
  visit("lastEvidence", last_evidence);
}

void rows(AnyStaged auto& record, auto&& visit) {
  auto& [verb, wanted, after, raise] = record;
  visit("verb", verb);
  visit("wanted", wanted);
  visit("after", after);
  visit("raise", raise);
}

void rows(AnyExit auto& record, auto&& visit) {
  auto& [code, signal, oom, at] = record;
  visit("code", code);
  visit("signal", signal);
  visit("oom", oom);
  visit("at", at);
}

void rows(AnyService auto& record, auto&& visit) {
  auto& [written, serial, id, order, generation, wanted, leaving, leaving_source, waiting_ids, restart_required, status,
         start_time, last_exit, ordinal, executable_stamp, staged, machine] = record;
  visit("written", written);
  visit("serial", serial);
  visit("id", id);
  visit("order", order);
  visit("generation", generation);
  visit("wanted", wanted);
  visit("leaving", leaving);
  visit("leavingSource", leaving_source);
  visit("waitingIds", waiting_ids);
  visit("restartRequired", restart_required);
  visit("status", status);
  visit("startTime", start_time);
  visit("lastExit", last_exit);
  visit("ordinal", ordinal);
  visit("executableStamp", executable_stamp);
  visit("staged", staged);
  visit("machine", machine);
}

}  // namespace azora::store
