#pragma once
// The rows of every record, listed once: visit(name, field) for each, in the order in which they are stored. Writer,
// reader and tests all use these lists, so a field that is not here is in none of them. `Record` is const for a writer.
// Threads: any. Fails: if the visitor does.
#include <array>
#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>

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
concept AnyDrain = std::same_as<std::remove_const_t<Record>, DrainRecord>;
template <typename Record>
concept AnyMaintenance = std::same_as<std::remove_const_t<Record>, MaintenanceRecord>;
template <typename Record>
concept AnyService = std::same_as<std::remove_const_t<Record>, ServiceRecord>;

// Rows that a later version added, by their path in their record. Names of rows of different records differ here.
struct AddedRow {
  std::string_view path;
  std::uint16_t since;  // the first version that has it
};
inline constexpr std::array kAddedRows = {AddedRow{"drain", 2}, AddedRow{"maintenance", 2}};

// A structured binding names every field of a record: a field that is added but not bound here does not compile. A
// field that is bound but not visited is missing in the bytes, and the round trip test finds this.
void rows(AnyHeads auto& record, auto&& visit) {
  auto& [last_serial, next_order, event_seq, epoch, boot_id] = record;
  visit("lastSerial", last_serial);
  visit("nextOrder", next_order);
  visit("eventSeq", event_seq);
  visit("epoch", epoch);
  visit("bootId", boot_id);
}

void rows(AnyEntry auto& record, auto&& visit) {
  auto& [name, source, origin, callable, actor, generation, order] = record;
  visit("name", name);
  visit("source", source);
  visit("origin", origin);
  visit("callable", callable);
  visit("actor", actor);
  visit("generation", generation);
  visit("order", order);
}

void rows(AnyMachine auto& record, auto&& visit) {
  auto& [lifecycle, desired, incarnation, restart_count, deps_ok, ever_started, restart_asked, action_running,
         well_before, told_failed, told_unavailable, told_blocked, admission_request, slot, permit_request, permit,
         attempts, last_delay, flapping, recent_restarts, cause, start_cause, failing, half_open, evidence_pending,
         down_since, failed_at, earliest, last_evidence, deadline, next_attempt, clock, started, stable_since] = record;
  visit("lifecycle", lifecycle);
  visit("desired", desired);
  visit("incarnation", incarnation);
  visit("restartCount", restart_count);
  visit("depsOk", deps_ok);
  visit("everStarted", ever_started);
  visit("restartAsked", restart_asked);
  visit("actionRunning", action_running);
  visit("wellBefore", well_before);
  visit("toldFailed", told_failed);
  visit("toldUnavailable", told_unavailable);
  visit("toldBlocked", told_blocked);
  visit("admissionRequest", admission_request);
  visit("slot", slot);
  visit("permitRequest", permit_request);
  visit("permit", permit);
  visit("attempts", attempts);
  visit("lastDelay", last_delay);
  visit("flapping", flapping);
  visit("recentRestarts", recent_restarts);
  visit("cause", cause);
  visit("startCause", start_cause);
  visit("failing", failing);
  visit("halfOpen", half_open);
  visit("evidencePending", evidence_pending);
  visit("downSince", down_since);
  visit("failedAt", failed_at);
  visit("earliest", earliest);
  visit("lastEvidence", last_evidence);
  visit("deadline", deadline);
  visit("nextAttempt", next_attempt);
  visit("clock", clock);
  visit("started", started);
  visit("stableSince", stable_since);
}

void rows(AnyStaged auto& record, auto&& visit) {
  auto& [verb, after, raise] = record;
  visit("verb", verb);
  visit("after", after);
  visit("raise", raise);
}

void rows(AnyExit auto& record, auto&& visit) {
  auto& [code, signal, oom, at, left_pid] = record;
  visit("code", code);
  visit("signal", signal);
  visit("oom", oom);
  visit("at", at);
  visit("leftPid", left_pid);
}

void rows(AnyDrain auto& record, auto&& visit) {
  auto& [then, since, timeout, done] = record;
  visit("then", then);
  visit("since", since);
  visit("timeout", timeout);
  visit("done", done);
}

void rows(AnyMaintenance auto& record, auto&& visit) {
  auto& [reason, since, until] = record;
  visit("reason", reason);
  visit("since", since);
  visit("until", until);
}

void rows(AnyService auto& record, auto&& visit) {
  auto& [written, serial, id, order, generation, wanted, leaving, leaving_source, waiting_ids, restart_required, status,
         start_time, last_exit, ordinal, executable_stamp, staged, machine, drain, maintenance] = record;
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
  visit("drain", drain);
  visit("maintenance", maintenance);
}

}  // namespace azora::store
