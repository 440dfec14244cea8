// What goes wrong, and what is asked for meanwhile.
#include <algorithm>
#include <array>

#include "azora/model/service_name.hpp"
#include "sim/simulation.hpp"

namespace azora::orchestrator {

using health::FakeProber;
using std::chrono::seconds;

void Simulation::fault() {
  constexpr std::array<const char*, 16> kNames = {
      "a process ends", "a process ends", "a process ends", "a shim ends", "checks fail", "checks fail", "a start or stop goes wrong",
      "a start or stop goes wrong", "a verb", "a verb", "another configuration", "a removal", "a stop of all", "most processes end",
      "the loop is held up, the wall clock set", "some recover"};
  Member& member = any();
  const std::uint64_t kind = below(16);
  ++tally_.faults[kNames[kind]];
  switch (kind) {
    case 0:
    case 1: return crash(any_serial(member));
    case 2: return crash(any_serial(member), static_cast<int>(below(3)));
    case 3: {
      const std::uint64_t serial = any_serial(member);
      world_.keeper.lose(serial);
      world_.unit.lose(serial);
      return world_.container.lose(serial);
    }
    case 4:
    case 5: return answer_badly(member);
    case 6:
    case 7: return misbehave(member);
    case 8:
    case 9: return command(member);
    case 10: return overwrite(member);
    case 11:
      if (member.registered) remove(member);
      if (chance(50)) add(member, "true");
      return;
    case 12:
      if (chance(30)) whole_stop();
      return;
    case 13:
      for (const Member& each : members_) {
        for (const std::uint64_t serial : each.serials) {
          if (chance(60)) crash(serial);
        }
      }
      return;
    case 14:
      world_.loop.jump_wall(Millis(static_cast<std::int64_t>(below(7'200'000)) - 3'600'000));
      watcher_.stalled();
      return world_.loop.stall(Millis(below(5'000)));
    default:
      for (Member& each : members_) {
        if (chance(50)) recover(each);
      }
      return;
  }
}

void Simulation::answer_badly(Member& first) {
  const std::array answers = {FakeProber::Answer::hang(), FakeProber::Answer::http(500), FakeProber::Answer::http(404),
                              FakeProber::Answer::refused(), FakeProber::Answer::http(200, Millis(1'500))};
  const FakeProber::Answer answer = answers[below(answers.size())];
  world_.prober.set(any_serial(first), answer);
  if (!chance(40)) return;
  for (Member& each : members_) {
    if (chance(50)) world_.prober.set(any_serial(each), answer);
  }
}

void Simulation::misbehave(Member& member) {
  keeper::FakeKeeper::Behaviour behaviour;
  behaviour.exec_fails = chance(30);
  behaviour.ignores_stop = chance(30);
  behaviour.stops_in = Millis(below(4'000));
  behaviour.sweeps_in = chance(20) ? Millis(below(12'000)) : Millis(below(50));
  if (chance(40)) behaviour.exits_after = Millis(below(30'000));
  const std::uint64_t serial = any_serial(member);
  world_.keeper.set(serial, behaviour);
  if (member.action == &actions::kUnitAction) misbehave_elsewhere(serial);
  if (chance(50)) crash(serial);
}

// Its start is answered late, refused or never; its stop takes its time.
void Simulation::misbehave_elsewhere(std::uint64_t serial) {
  using Answer = actions::FakeAction::Answer;
  const auto draw = [this](std::uint64_t limit) { return action_random_() % limit; };
  actions::FakeAction::Behaviour behaviour;
  behaviour.answer = std::array{Answer::done, Answer::done, Answer::refused, Answer::never}[draw(4)];
  behaviour.answers_in = Millis(draw(3) == 0 ? draw(30'000) : draw(1'000));
  if (draw(3) == 0) behaviour.exits_after = Millis(draw(30'000));
  behaviour.exit_code = static_cast<int>(draw(2));
  behaviour.ignores_stop = draw(3) == 0;
  behaviour.stops_in = Millis(draw(4'000));
  behaviour.sweeps_in = Millis(draw(5) == 0 ? draw(12'000) : draw(50));
  world_.unit.set(serial, behaviour);
}

void Simulation::crash(std::uint64_t serial, std::optional<int> code) {
  world_.keeper.crash(serial, code);
  world_.unit.crash(serial, code);
  outside_.end_run(serial, code);
}

void Simulation::command(Member& member) {
  const Verb verb = std::array{Verb::start, Verb::stop, Verb::restart, Verb::restart}[below(4)];
  const bool dependents = chance(30);
  const bool dependencies = chance(30);
  const bool one = member.ids.size() > 1 && chance(40);
  const std::string name = one ? member.ids[below(member.ids.size())] : member.id;
  for (const Member& each : members_) {
    for (const std::string& id : each.ids) {
      // What it takes along is for the core to find; all are taken to be meant.
      if (dependents || dependencies || names_service(name, id)) watcher_.operator_acts(id);
      if (names_service(name, id)) store_watcher_.asked(each.id, id);
    }
  }
  if (dependents && verb != Verb::start) watcher_.takes_along(name);
  world_.turn([&] {
    if (world_.core.command(verb, name, dependents, dependencies, "rest").ok()) {
      store_watcher_.commanded(name, verb == Verb::stop ? Desired::down : Desired::up, dependents || dependencies);
      world_.core.after_publish([this] {
        if (!world_.is_cut && world_.recorder.published != world_.recorder.events.size()) {
          watcher_.found("order of a turn", "", "an answer before its turn's events were published");
        }
      });
    }
  });
}

void Simulation::overwrite(Member& member) {
  if (!member.registered) return add(member, "true");
  if (member.action->owned() && !member.fixed && chance(20)) member.url_only = member.probed && !member.url_only;
  if (member.replicas > 1 && !member.fixed && chance(40)) member.replicas = 2 + static_cast<int>(below(3));
  add(member, chance(50) ? "true" : "false");
}

// Most often soon, so that the faults and commands that follow are under way then.
void Simulation::end_lives() {
  if (!has_lives()) return;
  if (life_random_() % 3 == 0) crashes_.arm();
  if (life_random_() % 8 == 0) crashes_.crash_keeper();
}

void Simulation::whole_stop() {
  const int life = world_.life_number();
  const auto ended = [this, life] { return world_.life_number() != life; };
  const bool patient = chance(60);
  bool answered = false;
  watcher_.stops_in_order(patient);
  for (const Member& each : members_) {
    for (const std::string& id : each.ids) watcher_.operator_acts(id);
  }
  world_.turn([&] {
    world_.core.stop(world_.loop.now().steady + (patient ? seconds(300) : seconds(3)), [&](const std::vector<std::string>& left) {
      if (world_.is_cut) return;
      answered = true;
      const bool gone = world_.keeper.all_swept() && world_.unit.all_swept();
      if (left.empty() && !gone) watcher_.found("whole stop", "", "answered while processes are left");
      watcher_.stops_in_order(false);
    });
  });
  if (kind_ == Kind::all) {
    // Some end by themselves meanwhile, also where others need them.
    for (const Member& each : members_) {
      if (action_random_() % 4 == 0 && !each.serials.empty()) crash(each.serials.front());
    }
  }
  const bool cut_short = chance(30);
  // Longer than any chain of dependents takes; the answer follows the last end, and not only when a deadline is over.
  for (int passed = 0; passed < (cut_short ? 1 : 240); ++passed) {
    world_.advance(seconds(1));
    if (ended() || (!cut_short && world_.core.processes_alive() == 0)) break;
  }
  if (!cut_short) world_.advance(seconds(1));
  if (ended()) return;  // the next one knows nothing of it
  if (!cut_short && !answered) watcher_.found("whole stop", "", "is not over though nothing holds it up");
  watcher_.stops_in_order(false);
  world_.turn([&] { EXPECT_TRUE(world_.core.start().ok()); });
  if (!answered && !ended()) watcher_.found("whole stop", "", "was never answered");
}

void Simulation::trouble_the_store() {
  using Mode = store::FakeStore::Mode;
  if (store_kind() != StoreKind::failing || store_random_() % 3 != 0) return;
  ++tally_.faults["the store becomes slow, fails, hangs or works again"];
  world_.store.set_failure({.full = store_random_() % 2 == 0, .reason = "it was told to fail"});
  world_.store.set_mode(std::array{Mode::prompt, Mode::slow, Mode::slow, Mode::failing, Mode::hung}[store_random_() % 5]);
}

// They drain services, keep hands off them, and end both.
void Simulation::act_as_owners() {
  if (owner_random_() % 6 != 0) return;
  const Member& member = members_[owner_random_() % members_.size()];
  if (!member.registered || world_.core.storage_trouble() != nullptr) return;
  const std::string& id = member.ids[owner_random_() % member.ids.size()];
  watcher_.operator_acts(id);
  world_.turn([&] {
    AdminWatch& admin = world_.core.admin();
    const Millis span(owner_random_() % 90'000);
    const auto then = static_cast<DrainThen>(owner_random_() % 3);
    const WallTime until{world_.loop.now().wall.ms + 1 + span.count()};
    switch (owner_random_() % 6) {
      case 0: (void)admin.maintain(id, {.reason = "work", .until = until}, "rest").ok(); break;
      case 1:
        if (admin.maintain(id, {.reason = "work", .until = std::nullopt}, "rest").ok()) store_watcher_.maintained(member.id, id, true);
        return;
      case 2:
        if (admin.end_maintenance(id, "rest").ok()) store_watcher_.maintained(member.id, id, false);
        return;
      case 3: (void)admin.undrain(id, "rest").ok(); return;
      default: (void)admin.drain(id, {.timeout = span, .then = then}, "rest").ok(); break;
    }
    // These two change again by themselves.
    store_watcher_.asked(member.id, id);
  });
}

// Some come and hold the address of a service, which may run, be down or start; some go.
void Simulation::bring_strangers() {
  if (stranger_random_() % 3 != 0) return;
  set_strangers(members_[stranger_random_() % members_.size()], stranger_random_() % 2 == 0);
}

void Simulation::set_strangers(const Member& member, bool come) {
  for (const std::string& id : member.ids) {
    const ViewPtr view = world_.view(id);
    if (!view || !view->spec->endpoint) continue;
    const std::uint16_t port = view->spec->target.port;
    come ? world_.listeners.set_foreign(port) : world_.listeners.unset(port);
  }
}

}  // namespace azora::orchestrator
