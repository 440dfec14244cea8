#include "sim/crashes.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace azora::orchestrator {
namespace {

constexpr std::array kNames = {"between turns", "at an event", "at a publication", "before a commit is written",
                               "after it is written", "before a command", "before a check"};

}  // namespace

Crashes::Crashes(World& world, const Watchers& watchers, Tally& tally, std::uint64_t seed)
    : world_(world), watchers_(watchers), tally_(tally), random_(seed) {
  // Before the watchers: what happens at this instant is not seen by them.
  world.recorder.on_append = [this, then = world.recorder.on_append](const Recorder::Seen& event) {
    then(event);
    pass(Point::event);
  };
  world.recorder.on_publish = [this, then = world.recorder.on_publish] {
    then();
    pass(Point::publication);
  };
  world.store.on_commit = [this, then = world.store.on_commit](const store::Batch& batch, bool written) {
    if (then) then(batch, written);
    tell_commit(batch, written);
    pass(written ? Point::stored : Point::commit);
  };
  world.keeper.on_command = [this, then = world.keeper.on_command](const keeper::FakeKeeper::Command& command) {
    pass(Point::command);
    if (!world_.is_cut) then(command);
  };
  world.prober.on_ask = [this, then = world.prober.on_ask](const health::ProbeRequest& request) {
    then(request);
    pass(Point::probe);
  };
}

void Crashes::arm() {
  armed_ = true;
  point_ = static_cast<Point>(below(kPoints));
  passes_ = below(point_ == Point::turn || point_ == Point::probe ? 200 : 20);
}

void Crashes::pass(Point point) {
  if (!armed_ || point != point_ || world_.is_cut || passes_-- != 0) return;
  armed_ = false;
  ++tally_.faults[std::string("the orchestrator ends ") + kNames[static_cast<std::size_t>(point)]];
  watchers_.watcher.findings().tell("", std::string("= it ends ") + kNames[static_cast<std::size_t>(point)]);
  world_.cut();
}

bool Crashes::end_turn() {
  pass(Point::turn);
  if (!world_.is_cut) return false;
  replace_life();
  return true;
}

void Crashes::replace_life() {
  const bool behind = world_.core.storage_trouble() != nullptr;
  const bool reboot = below(12) == 0;
  const auto board = world_.recorder.board;
  world_.end_life(below(2) == 0 ? 0 : below(4));
  world_.recorder.board = board;  // what readers had seen last
  watchers_.lives.life_ended(behind || reboot);  // after that all is started, at no cost
  watchers_.watcher.life_ended(behind || reboot);
  watchers_.store.life_ended();
  watchers_.actions.life_ended();
  if (reboot) {
    ++tally_.faults["the system starts again"];
    watchers_.watcher.findings().tell("", "= the system starts again");
    world_.keeper.vanish();
    world_.options.boot_id = "boot " + std::to_string(++boots_);
  }
  pass_absence();
  const Result<void> begun = world_.begin_life();
  if (!begun) watchers_.watcher.found("lives", "", "the stored state is refused: " + begun.error().message);
}

void Crashes::tell_commit(const store::Batch& batch, bool written) {
  Findings& findings = watchers_.watcher.findings();
  if (!findings.tells()) return;
  std::string words = written ? "= stored:" : "= to be stored:";
  for (const store::Row& row : batch.rows) words += " " + row.key.name;
  for (const store::Key& key : batch.removed) words += " -" + key.name;
  findings.tell("", words);
}

void Crashes::pass_absence() {
  const std::array<Nanos, 4> spans = {Nanos(0), Millis(1), Millis(500), longest_absence_};
  const Nanos span(below(static_cast<std::uint64_t>(spans[below(4)].count()) + 1));
  world_.advance(span / 2);
  if (below(2) == 0) end_some();
  world_.advance(span / 2);
}

// Nobody is told of it but their shims.
void Crashes::end_some() {
  for (const keeper::Serial serial : world_.keeper.running()) {
    const std::uint64_t draw = below(10);
    if (draw > 3) continue;
    ++tally_.faults["a process ends while no orchestrator lives"];
    draw == 0   ? world_.keeper.lose(serial)
    : draw == 1 ? world_.keeper.crash(serial, 0)
    : draw == 2 ? world_.keeper.crash(serial, 1)
                : world_.keeper.crash(serial);
  }
}

void Crashes::crash_keeper() {
  ++tally_.faults["the keeper ends"];
  world_.keeper.crash_keeper(Micros(below(below(2) == 0 ? 5'000 : 5'000'000)));
}

}  // namespace azora::orchestrator
