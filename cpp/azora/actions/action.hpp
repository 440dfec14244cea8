#pragma once
// The contract of every action that heals services. It is asked to start a run and answers later whether it did. If it
// can, it also reports how the run ended, and stops the run on request. A new action is one class, one row in
// model/action_kinds.hpp and one line where the product's actions are put into the table.
//
// A run is one start of one service: its serial (never reused) and its incarnation. A report about a run that is no
// longer the current one changes nothing, so results may come late.
// What the listener may rely on, per run:
//   done at most once; a run without an answer is given up after startTimeout, and is not started a second time;
//   if exits are reported: exited then swept, each once, or lost in place of the missing ones; after a refused
//   start only swept. Nothing of a run is left once it is swept or lost.
//   adopted or lost once per adopt(); after adopted as after done.
// Threads: the control thread, both ways. Ownership: actions are borrowed by the table, and borrow their listener,
// which outlives them. Fails: never; errors are reported as a result.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "azora/base/time.hpp"
#include "azora/model/service_spec.hpp"
#include "azora/model/view.hpp"

namespace azora::actions {

struct Run {
  std::uint64_t serial = 0;
  std::uint64_t incarnation = 0;
  friend bool operator==(const Run&, const Run&) = default;
};

struct ActionRequest {
  Run run;
  SpecPtr spec;      // as configured when the start was decided
  int attempt = 0;   // restarts of this episode so far
  std::string cause; // wire name of why it is started; empty: a first start
};

// The result of a start.
struct ActionResult {
  bool ok = true;              // false: it was refused, failed or could not be tried
  std::string reason;          // why not, for people
  std::optional<int> pid;      // of the process it made, where there is one
  std::optional<Now> started;  // when; nullopt: now
};

// A run of a former orchestrator that was found.
struct FoundRun {
  std::optional<int> pid;      // nullopt: it has ended, which is reported next
  std::optional<Now> started;
  bool same_program = true;    // it was started with what is configured now
};

class ActionListener {
 public:
  virtual ~ActionListener() = default;
  virtual void on_action_done(Run run, ActionResult result) = 0;
  // It runs, but not quite as asked for. At most once per run, right before on_action_done().
  virtual void on_action_warning(Run run, std::string reason) = 0;
  // The main process has ended; descendants may be left until on_action_swept().
  virtual void on_action_exited(Run run, const ExitView& exit) = 0;
  virtual void on_action_swept(Run run) = 0;
  virtual void on_action_adopted(Run run, const FoundRun& found) = 0;
  // Nothing of the run is left, and it is unknown how it ended.
  virtual void on_action_lost(Run run, std::string reason) = 0;
};

class Action {
 public:
  virtual ~Action() = default;
  virtual void set_listener(ActionListener* listener) = 0;  // once, before the first start
  virtual void start(ActionRequest request) = 0;

  // Only called for actions that report exits: takes over a run that a former orchestrator started.
  virtual void adopt(Run /*run*/, const ServiceSpec& /*spec*/) {}
  // Only called for actions that can stop. stop(): as the configuration says; called again for the same run when it has
  // more time by then than it was told, which must not signal it once more. kill(): all of it at once.
  virtual void stop(Run /*run*/, const ServiceSpec& /*spec*/) {}
  virtual void kill(Run /*run*/) {}
  // Only called for actions that report exits: the end of the run is stored, so the action may drop its record of it.
  virtual void acknowledge(Run /*run*/) {}
  // The service is unregistered and nothing of it runs: the action may drop what it keeps for it.
  virtual void forget(std::uint64_t /*serial*/) {}
};

}  // namespace azora::actions
