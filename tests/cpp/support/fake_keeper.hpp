#pragma once
// Keeper for tests and the simulation: processes that live in virtual time and behave as scripted, with the
// guarantees of keeper.hpp. A second launch while a former incarnation of the service lives is recorded as a
// violation: the real keeper would refuse it, the core must never ask for it.
// Threads: the test's.
#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "azora/base/loop.hpp"
#include "azora/keeper/keeper.hpp"

namespace azora::keeper {

class FakeKeeper : public Keeper {
 public:
  struct Behaviour {
    bool exec_fails = false;
    std::string warning;                // told before started
    std::optional<Nanos> exits_after;   // by itself
    int exit_code = 1;
    std::optional<int> left_pid;        // it goes into the background and leaves this process
    bool ignores_stop = false;
    bool ignores_kill = false;          // as in uninterruptible sleep
    Nanos stops_in = Millis(5);
    Nanos sweeps_in = Millis(1);        // descendants take that long to be gone
    bool lingers = false;               // descendants end by kill() alone
  };
  struct Process {
    std::string id;
    std::uint64_t incarnation = 0;
    int pid = 0;
    bool main_alive = false;
    bool descendants = false;           // not swept yet
    bool ours = true;                   // launched or adopted
    bool asked = false;                 // a stop or kill has reached it
    std::optional<Exit> exit;           // of a process that nobody has adopted yet
    std::string failure;                // it never ran, and why
    bool is_left() const { return main_alive || descendants; }
  };

  // What the core asked for, in order.
  struct Command {
    enum class Kind { launch, stop, kill, forget, adopt, acknowledge } kind;
    Serial serial = 0;
    std::uint64_t incarnation = 0;
    SteadyTime at{};
    std::string id;      // of a launch
    bool fails = false;  // a launch that will be refused
  };

  explicit FakeKeeper(Loop& loop) : loop_(loop) {}

  void set(Serial serial, Behaviour behaviour) { behaviour_[serial] = behaviour; }
  // The process that runs takes that long to stop.
  void set_stops_in(Serial serial, Nanos span) { current_[serial].stops_in = span; }
  void set_default(std::function<Behaviour(const Launch&)> decide) { decide_ = std::move(decide); }
  // Reports take that long from now on; they keep their order, as those of one link do. Null: none at all.
  void set_delay(std::function<Nanos()> delay) { delay_ = std::move(delay); }
  // The process dies by itself now (kill -9 from outside).
  void crash(Serial serial, std::optional<int> code = std::nullopt, int signal = 9) {
    const auto found = processes_.find(serial);
    if (found == processes_.end() || !found->second.main_alive) return;
    Exit exit;
    if (code) {
      exit.code = code;
    } else {
      exit.signal = signal;
    }
    end(serial, found->second.incarnation, exit);
  }
  // The kernel kills all of it for want of memory.
  void run_out_of_memory(Serial serial) {
    const auto found = processes_.find(serial);
    if (found != processes_.end()) end(serial, found->second.incarnation, Exit{.signal = 9, .oom = true});
  }
  // The shim is killed: no exit record.
  void lose(Serial serial) {
    const auto found = processes_.find(serial);
    if (found == processes_.end() || !found->second.main_alive) return;
    const std::uint64_t incarnation = found->second.incarnation;
    processes_.erase(found);
    report([this, serial, incarnation] { listener_->on_lost(serial, incarnation, "its shim was killed"); });
  }
  // Its shim has dropped so many lines by now.
  void drop_output(Serial serial, std::uint64_t lines, const LogLoss& loss) {
    report([this, serial, lines, loss] { listener_->on_log_dropped(serial, lines, loss); });
  }
  // The system ends: nothing of any process is left, and nobody reports it.
  void vanish() {
    processes_.clear();
    recorded_.clear();
  }
  // The link to the keeper goes down or comes back.
  void set_link(bool up, const std::string& reason = "") {
    report([this, up, reason] { listener_->on_link(up, reason); });
  }
  bool alive(Serial serial) const {
    const auto found = processes_.find(serial);
    return found != processes_.end() && found->second.main_alive;
  }
  std::size_t alive_count() const {
    std::size_t count = 0;
    for (const auto& [serial, process] : processes_) count += process.main_alive ? 1U : 0U;
    return count;
  }
  int launches(Serial serial) const {
    const auto found = launches_.find(serial);
    return found == launches_.end() ? 0 : found->second;
  }
  int launches_total() const { return launches_total_; }
  // Nothing of any service is left, descendants included.
  bool all_swept() const {
    return std::none_of(processes_.begin(), processes_.end(), [](const auto& one) { return one.second.is_left(); });
  }
  bool swept(Serial serial) const {
    const auto found = processes_.find(serial);
    return found == processes_.end() || !found->second.is_left();
  }
  const std::vector<std::string>& violations() const { return violations_; }
  std::vector<Serial> running() const {
    std::vector<Serial> serials;
    for (const auto& [serial, process] : processes_) {
      if (process.main_alive) serials.push_back(serial);
    }
    return serials;
  }

  void set_epoch(std::uint64_t epoch) { epoch_ = epoch; }

  // The orchestrator has ended in the middle of a turn: what it asks for from here on reaches nobody.
  void cut() { cut_ = true; }
  // Processes that nobody has taken over.
  std::vector<std::string> left_alone() const {
    std::vector<std::string> ids;
    for (const auto& [serial, process] : processes_) {
      if (!process.ours && process.is_left()) ids.push_back(process.id);
    }
    return ids;
  }
  // Shims refused to start a run beside the one that they have.
  int refusals() const { return refusals_; }
  // The keeper is killed. Shims and processes go on. Until the next keeper has found them nothing is reported, and what
  // is asked for waits, as it does with the real client.
  void crash_keeper(Nanos away) {
    if (away_ || listener_ == nullptr) return;
    set_link(false, "the keeper was killed");
    away_ = true;
    loop_.at(loop_.now().steady + away, [this, listener = listeners_] {
      if (listener == listeners_ && away_) come_back();
    });
  }

  // What is on its way to a former listener does not reach the next one, which finds all processes as not its own. Null:
  // there is none for a while.
  void set_listener(KeeperListener* listener) override {
    listener_ = listener;
    ++listeners_;
    cut_ = away_ = false;
    held_reports_.clear();
    held_commands_.clear();
    for (auto& [serial, process] : processes_) process.ours = false;
    processes_.merge(recorded_);  // ends that were reported and not acknowledged
    recorded_.clear();
    if (listener == nullptr) return;
    for (auto& [serial, process] : processes_) {
      process.ours = false;
      report([this, serial = serial] {
        const auto found = processes_.find(serial);
        if (found != processes_.end() && !found->second.ours) listener_->on_unknown(record_of(serial));
      });
    }
  }
  std::uint64_t epoch() const override { return epoch_; }
  void launch(Launch launch) override {
    if (cut_) return;
    const Serial serial = launch.serial;
    const std::uint64_t incarnation = launch.incarnation;
    ++launches_[serial];
    ++launches_total_;
    for (const auto& [other, process] : processes_) {
      if (!process.ours) continue;  // its shim sees to that, below
      if (other == serial || process.id == launch.id) violations_.push_back(launch.id + ": started twice");
    }
    const Behaviour behaviour = behaviour_of(launch);
    note({Command::Kind::launch, serial, incarnation, loop_.now().steady, launch.id, behaviour.exec_fails});
    if (cut_) return;
    carry_out([this, serial, incarnation, id = std::move(launch.id), behaviour] { spawn(serial, incarnation, id, behaviour); });
  }
  void stop(Serial serial, std::uint64_t incarnation, const StopOrder& order) override {
    if (cut_) return;
    note({Command::Kind::stop, serial, incarnation, loop_.now().steady, {}, false});
    if (cut_) return;
    carry_out([this, serial, incarnation, signal = order.signal] {
      note_asked(serial, incarnation);
      const Behaviour behaviour = current_[serial];
      if (behaviour.ignores_stop) return;
      loop_.at(loop_.now().steady + behaviour.stops_in,
               [this, serial, incarnation, signal] { end(serial, incarnation, Exit{.signal = signal}); });
    });
  }
  void kill(Serial serial, std::uint64_t incarnation) override {
    if (cut_) return;
    note({Command::Kind::kill, serial, incarnation, loop_.now().steady, {}, false});
    if (cut_) return;
    carry_out([this, serial, incarnation] {
      note_asked(serial, incarnation);
      if (current_[serial].ignores_kill) return;
      const auto found = processes_.find(serial);
      if (found != processes_.end() && !found->second.main_alive && std::exchange(current_[serial].lingers, false)) {
        return sweep(serial, incarnation);
      }
      current_[serial].lingers = false;
      loop_.post([this, serial, incarnation] { end(serial, incarnation, Exit{.signal = 9}); });
    });
  }
  // What a former orchestrator left running, to be found and adopted.
  void leave_running(Serial serial, std::uint64_t incarnation, const std::string& id, const Behaviour& behaviour) {
    processes_[serial] = {id, incarnation, ++last_pid_, true, true, false, {}};
    current_[serial] = behaviour;
    report([this, record = record_of(serial)] { listener_->on_unknown(record); });
  }
  void adopt(Serial serial, std::uint64_t incarnation, std::string id) override {
    if (cut_) return;
    note({Command::Kind::adopt, serial, incarnation, loop_.now().steady, std::move(id), false});
    if (cut_) return;
    carry_out([this, serial, incarnation] { take_over(serial, incarnation); });
  }
  void acknowledge(Serial serial, std::uint64_t incarnation) override {
    if (cut_) return;
    note({Command::Kind::acknowledge, serial, incarnation, loop_.now().steady, {}, false});
    if (cut_) return;
    const auto found = processes_.find(serial);
    if (found != processes_.end() && found->second.incarnation == incarnation && found->second.ours) {
      violations_.push_back(found->second.id + ": its end was acknowledged before it had ended");
    }
    carry_out([this, serial, incarnation] {
      const auto recorded = recorded_.find(serial);
      if (recorded != recorded_.end() && recorded->second.incarnation == incarnation) recorded_.erase(recorded);
    });
  }
  void forget(Serial serial) override {
    if (cut_) return;
    note({Command::Kind::forget, serial, 0, loop_.now().steady, {}, false});
    if (cut_) return;
    const auto found = processes_.find(serial);
    const bool runs = found != processes_.end() && (found->second.main_alive || found->second.descendants);
    if (runs && found->second.ours) violations_.push_back("forgot a service that still has processes");
    carry_out([this, serial] {
      recorded_.erase(serial);
      const auto unknown = processes_.find(serial);
      if (unknown != processes_.end() && !unknown->second.ours) processes_.erase(unknown);  // what is left of it is stopped
    });
  }

  std::vector<Command> commands;
  std::function<void(const Command&)> on_command;
  std::function<void(Serial, std::uint64_t)> on_exit_report;  // before the listener hears of it

 private:
  void carry_out(Task command) { away_ ? held_commands_.push_back(std::move(command)) : command(); }
  // The next keeper has found the shims: what they have to say comes first.
  void come_back() {
    away_ = false;
    set_link(true);
    for (Task& one : std::exchange(held_reports_, {})) report(std::move(one));
    for (Task& one : std::exchange(held_commands_, {})) one();
  }
  void spawn(Serial serial, std::uint64_t incarnation, const std::string& id, const Behaviour& behaviour) {
    if (behaviour.exec_fails) {
      recorded_[serial] = {.id = id, .incarnation = incarnation, .failure = "argv[0] not found on PATH"};
      return report_failure(recorded_.at(serial), serial);
    }
    if (const auto found = processes_.find(serial); found != processes_.end() && !found->second.ours) {
      if (found->second.incarnation == incarnation) return take_launched(serial);
      if (found->second.main_alive || found->second.descendants) {
        ++refusals_;
        return report([this, serial, incarnation] {
          listener_->on_start_failed(serial, incarnation, "its shim runs another one");
          listener_->on_swept(serial, incarnation);
        });
      }
    }
    const int pid = ++last_pid_;
    recorded_.erase(serial);
    processes_[serial] = {id, incarnation, pid, true, true, true, {}};
    current_[serial] = behaviour;
    if (!behaviour.warning.empty()) {
      report([this, serial, incarnation, warning = behaviour.warning] { listener_->on_warning(serial, incarnation, warning); });
    }
    report([this, serial, incarnation, pid, at = loop_.now()] { listener_->on_started(serial, incarnation, pid, at); });
    if (behaviour.exits_after) {
      loop_.at(loop_.now().steady + *behaviour.exits_after, [this, serial, incarnation, behaviour] {
        end(serial, incarnation, Exit{.code = behaviour.exit_code, .left_pid = behaviour.left_pid});
      });
    }
  }
  void report_failure(const Process& process, Serial serial) {
    report([this, serial, incarnation = process.incarnation, reason = process.failure] {
      listener_->on_start_failed(serial, incarnation, reason);
      listener_->on_swept(serial, incarnation);
    });
  }
  void take_over(Serial serial, std::uint64_t incarnation) {
    const auto found = processes_.find(serial);
    const bool is_there = found != processes_.end();
    if (is_there && found->second.incarnation != incarnation && found->second.descendants) {
      return report([this, record = record_of(serial)] { listener_->on_unknown(record); });  // it is another run
    }
    if (!is_there || found->second.incarnation != incarnation) {
      return report([this, serial, incarnation] { listener_->on_lost(serial, incarnation, "nothing of it is left"); });
    }
    found->second.ours = true;
    report([this, record = record_of(serial)] { listener_->on_adopted(record.serial, record.incarnation, record); });
    if (!found->second.failure.empty()) {
      recorded_[serial] = processes_.extract(serial).mapped();
      return report_failure(recorded_.at(serial), serial);
    }
    if (!found->second.exit) return;
    report([this, serial, incarnation, exit = *found->second.exit] { listener_->on_exited(serial, incarnation, exit); });
    if (!found->second.descendants) end_sweep(serial, incarnation);
  }
  // It was launched for a former listener under this number: it is the same run.
  void take_launched(Serial serial) {
    Process& process = processes_.at(serial);
    process.ours = true;
    if (!process.failure.empty()) {
      recorded_[serial] = processes_.extract(serial).mapped();
      return report_failure(recorded_.at(serial), serial);
    }
    const std::uint64_t incarnation = process.incarnation;
    report([this, serial, incarnation, pid = process.pid, at = loop_.now()] { listener_->on_started(serial, incarnation, pid, at); });
    if (!process.exit) return;
    report([this, serial, incarnation, exit = *process.exit] { listener_->on_exited(serial, incarnation, exit); });
    if (!process.descendants) end_sweep(serial, incarnation);
  }
  void note(Command command) {
    commands.push_back(std::move(command));
    if (on_command) on_command(commands.back());
  }
  void report(Task for_listener) {
    if (away_) return held_reports_.push_back(std::move(for_listener));
    Task task = [this, listener = listeners_, for_listener = std::move(for_listener)] {
      if (listener == listeners_ && listener_ != nullptr) for_listener();
    };
    if (!delay_) return loop_.post(std::move(task));
    last_report_ = std::max(last_report_, loop_.now().steady + delay_());
    loop_.at(last_report_, std::move(task));
  }
  Record record_of(Serial serial) const {
    const Process& process = processes_.at(serial);
    Record record{.serial = serial, .incarnation = process.incarnation};
    record.phase = process.main_alive         ? Phase::running
                   : process.descendants      ? Phase::exited
                   : process.failure.empty()  ? Phase::swept
                                              : Phase::start_failed;
    record.pid = process.pid;
    set_id(&record, {process.id.c_str(), static_cast<std::uint32_t>(process.id.size())});
    return record;
  }
  Behaviour behaviour_of(const Launch& launch) const {
    const auto found = behaviour_.find(launch.serial);
    if (found != behaviour_.end()) return found->second;
    return decide_ ? decide_(launch) : Behaviour{};
  }
  void note_asked(Serial serial, std::uint64_t incarnation) {
    const auto found = processes_.find(serial);
    if (found != processes_.end() && found->second.incarnation == incarnation) found->second.asked = true;
  }
  void end(Serial serial, std::uint64_t incarnation, Exit exit) {
    const auto found = processes_.find(serial);
    if (found == processes_.end() || found->second.incarnation != incarnation || !found->second.main_alive) return;
    found->second.main_alive = false;
    exit.at = loop_.now().wall;
    exit.asked = found->second.asked;
    found->second.exit = exit;
    if (found->second.ours) {
      report([this, serial, incarnation, exit] {
        if (on_exit_report) on_exit_report(serial, incarnation);
        listener_->on_exited(serial, incarnation, exit);
      });
    }
    if (!current_[serial].lingers) sweep(serial, incarnation);
  }
  void sweep(Serial serial, std::uint64_t incarnation) {
    loop_.at(loop_.now().steady + current_[serial].sweeps_in, [this, serial, incarnation] {
      const auto swept = processes_.find(serial);
      if (swept == processes_.end() || swept->second.incarnation != incarnation) return;
      swept->second.descendants = false;
      if (swept->second.ours) return end_sweep(serial, incarnation);
      report([this, record = record_of(serial)] { listener_->on_unknown(record); });
    });
  }
  // Reported; its shim keeps the record until that is acknowledged.
  void end_sweep(Serial serial, std::uint64_t incarnation) {
    recorded_[serial] = processes_.at(serial);
    processes_.erase(serial);
    report([this, serial, incarnation] { listener_->on_swept(serial, incarnation); });
  }

  Loop& loop_;
  KeeperListener* listener_ = nullptr;
  int listeners_ = 0;
  std::map<Serial, Behaviour> behaviour_;
  std::map<Serial, Behaviour> current_;
  std::map<Serial, Process> processes_;
  std::map<Serial, Process> recorded_;  // gone, and their end not acknowledged
  std::map<Serial, int> launches_;
  std::function<Behaviour(const Launch&)> decide_;
  std::function<Nanos()> delay_;
  SteadyTime last_report_{};
  std::vector<std::string> violations_;
  bool cut_ = false;
  bool away_ = false;  // the keeper
  std::vector<Task> held_reports_;
  std::vector<Task> held_commands_;
  int refusals_ = 0;
  std::uint64_t epoch_ = 1;
  int last_pid_ = 1000;
  int launches_total_ = 0;
};

}  // namespace azora::keeper
