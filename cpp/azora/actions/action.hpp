#pragma once
// The contract of all that heals a service: it is asked to start a run, answers later whether it did, and where it can,
// tells how the run ended and stops it when told to. A new action is one class, one row in model/action_kinds.hpp and
// one line where the product's actions are put into the table.
//
// A run is one start of one service: its serial (never reused) and its incarnation. What is told of a run that is not the
// current one any more changes nothing, so results may come late.
// What the listener may rely on, per run:
//   done at most once; whatever never answers is given up on after startTimeout, and is not started a second time;
//   where exits are told: exited then swept, each once, or lost in place of what is missing of them; after a refused
//   start swept alone. Nothing of a run is left once it is swept or lost.
// Threads: the control thread, both ways. Ownership: actions are borrowed by the table, and borrow their listener, which
// outlives them. Fails: never; what goes wrong is told as a result.
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

// What became of a start.
struct ActionResult {
  bool ok = true;              // false: refused, it failed or could not be tried
  std::string reason;          // why not, for people
  std::optional<int> pid;      // of the process it made, where there is one
  std::optional<Now> started;  // when; nullopt: now
};

class ActionListener {
 public:
  virtual ~ActionListener() = default;
  virtual void on_action_done(Run run, ActionResult result) = 0;
  // It runs, but not quite as asked for. At most once per run, right before on_action_done().
  virtual void on_action_warning(Run run, std::string reason) = 0;
  // What it started has ended; descendants may be left until on_action_swept().
  virtual void on_action_exited(Run run, const ExitView& exit) = 0;
  virtual void on_action_swept(Run run) = 0;
  // Nothing of it is left, and how it ended is unknown.
  virtual void on_action_lost(Run run, std::string reason) = 0;
};

class Action {
 public:
  virtual ~Action() = default;
  virtual void set_listener(ActionListener* listener) = 0;  // once, before the first start
  virtual void start(ActionRequest request) = 0;

  // Asked only of actions that can stop. stop(): in the way that the configuration says; kill(): at once and all of it.
  virtual void stop(Run /*run*/, const ServiceSpec& /*spec*/) {}
  virtual void kill(Run /*run*/) {}
  // Asked only of actions that tell exits: the end of the run is durable, a record of it may go.
  virtual void acknowledge(Run /*run*/) {}
  // The service is not registered any more and nothing of it runs: what is kept for it may go.
  virtual void forget(std::uint64_t /*serial*/) {}
};

}  // namespace azora::actions
