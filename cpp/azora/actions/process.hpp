#pragma once
// The action `process`: a run is a process of ours, started and held by the keeper. Facts that only the keeper knows
// (its link, dropped output, services that were not started here) go to a separate listener.
// Threads: the control thread. Ownership: borrows keeper and listeners; the keeper outlives it. Fails: never.
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>

#include "azora/actions/action.hpp"
#include "azora/keeper/keeper.hpp"

namespace azora::actions {

class ProcessListener {
 public:
  virtual ~ProcessListener() = default;
  // `lines`: how many lines of its output were dropped since its shim began; `loss`: the newest loss.
  virtual void on_output_dropped(std::uint64_t serial, std::uint64_t lines, const keeper::LogLoss& loss) = 0;
  // The link to the keeper went down or came back.
  virtual void on_keeper_link(bool up, std::string reason) = 0;
  // A shim holds a service that was not started here.
  virtual void on_unknown_process(const keeper::Record& record) = 0;
};

class ProcessAction : public Action, private keeper::KeeperListener {
 public:
  explicit ProcessAction(keeper::Keeper& keeper) : keeper_(keeper) { keeper_.set_listener(this); }
  ProcessAction(const ProcessAction&) = delete;
  ProcessAction& operator=(const ProcessAction&) = delete;

  void set_listener(ActionListener* listener) override { listener_ = listener; }
  void set_process_listener(ProcessListener* listener) { process_listener_ = listener; }
  std::uint64_t epoch() const { return keeper_.epoch(); }
  void start(ActionRequest request) override;
  void adopt(Run run, const ServiceSpec& spec) override;
  void stop(Run run, const ServiceSpec& spec) override;
  void kill(Run run) override { keeper_.kill(run.serial, run.incarnation); }
  void acknowledge(Run run) override { keeper_.acknowledge(run.serial, run.incarnation); }
  void forget(std::uint64_t serial) override { keeper_.forget(serial); }

 private:
  void on_started(keeper::Serial serial, std::uint64_t incarnation, int pid, Now at) override;
  void on_start_failed(keeper::Serial serial, std::uint64_t incarnation, std::string reason) override;
  void on_exited(keeper::Serial serial, std::uint64_t incarnation, const keeper::Exit& exit) override;
  void on_swept(keeper::Serial serial, std::uint64_t incarnation) override;
  void on_lost(keeper::Serial serial, std::uint64_t incarnation, std::string reason) override;
  void on_adopted(keeper::Serial serial, std::uint64_t incarnation, const keeper::Record& record) override;
  void on_warning(keeper::Serial serial, std::uint64_t incarnation, std::string reason) override;
  void on_log_dropped(keeper::Serial serial, std::uint64_t lines, const keeper::LogLoss& loss) override;
  void on_link(bool up, std::string reason) override;
  void on_unknown(const keeper::Record& record) override;

  keeper::Keeper& keeper_;
  ActionListener* listener_ = nullptr;
  ProcessListener* process_listener_ = nullptr;
  std::unordered_map<std::uint64_t, std::uint64_t> adopting_;  // by serial: the hash of what is configured now
};

}  // namespace azora::actions
