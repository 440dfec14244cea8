#pragma once
// A listener that keeps what actions tell, one line each.
// Threads: the test's.
#include <string>
#include <vector>

#include "azora/actions/process.hpp"

namespace azora::actions {

class Heard : public ActionListener, public ProcessListener {
 public:
  void on_action_done(Run run, ActionResult result) override {
    const std::string pid = result.pid ? " pid " + std::to_string(*result.pid) : "";
    add(run, result.ok ? "done" + pid : "refused: " + result.reason);
  }
  void on_action_warning(Run run, std::string reason) override { add(run, "warning: " + reason); }
  void on_action_exited(Run run, const ExitView& exit) override {
    add(run, exit.code ? "exited " + std::to_string(*exit.code) : "ended by signal " + std::to_string(exit.signal.value_or(0)));
  }
  void on_action_swept(Run run) override { add(run, "swept"); }
  void on_action_adopted(Run run, const FoundRun& found) override {
    const std::string pid = found.pid ? " pid " + std::to_string(*found.pid) : "";
    add(run, "adopted" + pid + (found.same_program ? "" : ", another program"));
  }
  void on_action_lost(Run run, std::string reason) override { add(run, "lost: " + reason); }
  void on_output_dropped(std::uint64_t serial, std::uint64_t count, const keeper::LogLoss&) override {
    add({serial, 0}, "dropped " + std::to_string(count));
  }
  void on_keeper_link(bool up, std::string reason) override { lines.push_back(up ? "link up" : "link down: " + reason); }
  void on_unknown_process(const keeper::Record& record) override { add({record.serial, record.incarnation}, "unknown"); }

  std::vector<std::string> lines;

 private:
  void add(Run run, const std::string& what) {
    lines.push_back(std::to_string(run.serial) + "." + std::to_string(run.incarnation) + " " + what);
  }
};

}  // namespace azora::actions
