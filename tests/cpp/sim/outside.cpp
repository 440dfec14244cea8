#include "sim/outside.hpp"

namespace azora::orchestrator {

using health::FakeProber;

Outside::Outside(World& world, Watcher& watcher, StoreWatcher& store_watcher, std::mt19937_64& of_callables,
                 std::mt19937_64& of_others)
    : world_(world), watcher_(watcher), store_watcher_(store_watcher), of_callables_(of_callables), of_others_(of_others) {
  for (actions::FakeAction* fake : {&world_.callable, &world_.container, &world_.webhook}) {
    fake->set_default({.answer = actions::FakeAction::Answer::never});  // what comes of it is said here
    fake->on_command = [this, fake](const actions::FakeAction::Command& command) {
      if (command.kind == actions::FakeAction::Command::Kind::start) call(*fake, command.request);
    };
  }
}

void Outside::call(actions::FakeAction& by, const actions::ActionRequest& request) {
  std::mt19937_64& random = &by == &world_.callable ? of_callables_ : of_others_;
  const auto below = [&random](std::uint64_t limit) { return random() % limit; };
  const auto chance = [&below](unsigned percent) { return below(100) < percent; };
  const std::uint64_t serial = request.run.serial;
  watcher_.called(request);
  store_watcher_.called(request);
  const Nanos span = healing_ || chance(60) ? Millis(below(2'000)) : Millis(below(40'000));
  const bool ok = healing_ || chance(70);
  const bool helps = ok && (healing_ || chance(60));
  const bool harms = !healing_ && !helps && chance(70);
  if (chance(40)) {
    // Meanwhile it comes back by itself.
    world_.life.at(world_.loop.now().steady + span / 2, [this, serial] { world_.prober.unset(serial); });
  }
  if (&by != &world_.callable && !healing_ && chance(15)) return;  // never answered
  world_.life.at(world_.loop.now().steady + span,
                 [this, &by, request, ok, helps, harms] { answer(by, request, ok, helps, harms); });
  if (&by != &world_.container || healing_ || !chance(30)) return;
  world_.life.at(world_.loop.now().steady + span + Millis(below(30'000)),
                 [this, serial, code = static_cast<int>(below(3))] { end_run(serial, code); });
}

void Outside::answer(actions::FakeAction& by, const actions::ActionRequest& request, bool ok, bool helps, bool harms) {
  // Who was unregistered meanwhile, or is another one now, hears nothing of it.
  const ViewPtr now = world_.view(request.spec->id);
  if (now && now->serial == request.run.serial) {
    if (helps) world_.prober.unset(request.run.serial);
    if (harms && !healing_) world_.prober.set(request.run.serial, FakeProber::Answer::refused());
    watcher_.returned(request.spec->id, ok);
  }
  by.answer(request.run, {.ok = ok, .reason = "it raised"});
}

void Outside::end_run(std::uint64_t serial, std::optional<int> code) {
  if (!world_.container.alive(serial)) return;
  if (!healing_ && of_others_() % 100 < 70) world_.prober.set(serial, FakeProber::Answer::refused());
  of_others_() % 3 == 0 ? world_.container.lose(serial) : world_.container.crash(serial, code);
}

}  // namespace azora::orchestrator
