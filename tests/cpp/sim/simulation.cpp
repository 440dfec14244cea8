#include "sim/simulation.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "azora/model/service_name.hpp"

namespace azora::orchestrator {

using health::FakeProber;
using std::chrono::seconds;

Simulation::Simulation(std::uint64_t seed)
    : seed_(seed),
      random_(seed),
      world_({.max_concurrent_starts = 3, .starts_per_second = 4}),
      store_random_(seed ^ 0x5709eULL),
      policy_random_(seed ^ 0x9011c7ULL) {
  world_.loop.set_turn_end([this] {
    world_.core.end_turn();
    watcher_.check_turn();
    store_watcher_.check_turn();
  });
  if (store_kind() != StoreKind::prompt) {
    world_.store.set_delay([this] { return Nanos(Millis(store_random_() % (store_random_() % 20 == 0 ? 3'500 : 300))); });
    world_.store.set_written_anyway([this] { return store_random_() % 2 == 0; });
    world_.store.set_mode(store::FakeStore::Mode::slow);
  }
  world_.callable.on_command = [this](const actions::FakeAction::Command& command) {
    if (command.kind == actions::FakeAction::Command::Kind::start) call(command.request);
  };
  if (chance(70)) {
    world_.keeper.set_delay([this] { return Nanos(Micros(below(20'000))); });
    world_.prober.set_forget_race([this] { return chance(50); });
  }
}

void Simulation::run() {
  build();
  const std::uint64_t faults = 30 + below(40);
  for (std::uint64_t i = 0; i < faults && !failed(); ++i) {
    trouble_the_store();
    fault();
    world_.advance(Millis(below(chance(20) ? 40'000 : 3'000)));
  }
  if (failed()) return;
  heal();
  world_.advance(seconds(460));  // past every backoff and one single try out of FAILED
  check_converged();
  if (failed()) return;
  clear_away();
}

std::string Simulation::report() const {
  std::string text = "seed " + std::to_string(seed_) + ":";
  for (const std::string& problem : watcher_.problems()) text += "\n  " + problem;
  return text;
}

std::string Simulation::story() const {
  std::string text;
  for (const std::string& line : watcher_.story()) text += "  " + line + "\n";
  return text;
}

void Simulation::build() {
  const std::size_t count = 3 + below(10);
  for (std::size_t i = 0; i < count; ++i) {
    Member member;
    member.id = "s" + std::to_string(i);
    member.url_only = chance(10);
    if (!member.url_only && chance(25)) member.action = &kCallableAction;
    member.probed = member.url_only || member.called() || !chance(10);
    member.more = R"("group":"g)" + std::to_string(i % 3) + R"(","failedRetryInterval":200000)";
    member.more += R"(,"healthCheckInterval":)" + std::to_string(2'000 + 1'000 * below(4));
    if (!member.url_only) {
      member.more += R"(,"maxRestarts":)" + std::to_string(1 + below(4));
      member.more += policy();
      if (chance(30)) member.more += R"(,"restartDelay":)" + std::to_string(200 + below(2'000));
    }
    // So short that a callable often takes longer.
    if (member.called() && chance(60)) {
      member.more += R"(,"healthCheck":{"startTimeout":)" + std::to_string(1'000 + below(9'000)) + "}";
    }
    if (!member.url_only && !member.called() && chance(20)) member.replicas = 2 + static_cast<int>(below(2));
    if (i > 0 && chance(50)) member.more += R"(,"dependencies":[)" + dependency_of(below(i)) + "]";
    members_.push_back(std::move(member));
  }
  for (Member& member : members_) add(member, "true");
}

// One on that member: on the whole, on some of its instances or on a certain one.
std::string Simulation::dependency_of(std::size_t index) {
  Member& member = members_[index];
  std::string id = member.id;
  std::string min;
  if (member.replicas > 1) {
    if (chance(25)) {
      id = instance_id(id, static_cast<int>(below(static_cast<std::uint64_t>(member.replicas))));
      member.fixed = true;
    } else if (chance(50)) {
      min = R"(,"min":)" + std::to_string(member.replicas);
      member.fixed = true;
    }
  }
  if (policy_random_() % 3 == 0) min += R"(,"onRestart":"restart")";
  return R"({"id":")" + id + R"(","condition":")" + (chance(25) ? "started" : "healthy") + R"(","strength":")" +
         (chance(15) ? "soft" : "hard") + "\"" + min + "}";
}

// Mostly none: what it means then depends on the endpoint.
std::string Simulation::policy() {
  const std::array words = {"", "", "", "", "always", "on-failure", "on-failure", "never"};
  const std::string word = words[policy_random_() % words.size()];
  return word.empty() ? "" : R"(,"restartPolicy":")" + word + "\"";
}

void Simulation::add(Member& member, const std::string& argv) {
  if (world_.core.storage_trouble() != nullptr) return;  // it would be refused
  const bool single = member.replicas == 1 || member.url_only;
  std::vector<std::string> ids;
  for (int i = 0; i < (single ? 1 : member.replicas); ++i) ids.push_back(single ? member.id : instance_id(member.id, i));
  for (const std::string& id : member.ids) {
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) watcher_.removed(id);
  }
  member.ids = ids;
  for (const std::string& id : ids) watcher_.operator_acts(id);
  std::string text = R"({"id":")" + member.id + R"(","type":"core",)" + member.more;
  // Replicas count on from it.
  const auto place = 10 * (static_cast<int>(&member - members_.data()));
  if (member.probed) text += R"(,"endpoint":"http://127.0.0.1:)" + std::to_string(7001 + place) + "\"";
  if (!member.probed) text += R"(,"healthCheck":{"type":"process"})";
  if (!member.url_only && !member.called()) {
    text += R"(,"process":{"argv":[")" + argv + R"("],"replicas":)" + std::to_string(member.replicas) + "}";
  }
  Result<std::vector<SpecPtr>> specs = parse_service(text + "}", {.origin = Origin::python, .given_action = member.called() ? member.action : nullptr});
  world_.turn([&] {
    const SpecPtr first = specs.value().front();
    const Result<std::uint64_t> done = world_.core.register_many(specs.value(), "python");
    if (!done) return watcher_.found("registration", member.id, done.error().message);
    store_watcher_.registered(first->entry ? first->entry : first);
  });
  member.serials.clear();
  for (const std::string& id : ids) {
    const ViewPtr view = world_.view(id);
    member.serials.push_back(view ? view->serial : 0);
  }
  member.registered = true;
}

void Simulation::remove(Member& member) {
  if (world_.core.storage_trouble() != nullptr) return;
  for (const std::string& id : member.ids) watcher_.removed(id);
  world_.turn([&] {
    if (world_.core.unregister(member.id, "rest").ok()) store_watcher_.unregistered(member.id);
  });
  member.registered = false;
}

void Simulation::fault() {
  Member& member = any();
  switch (below(16)) {
    case 0:
    case 1: return world_.keeper.crash(any_serial(member));
    case 2: return world_.keeper.crash(any_serial(member), static_cast<int>(below(3)));
    case 3: return world_.keeper.lose(any_serial(member));
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
          if (chance(60)) world_.keeper.crash(serial);
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
  if (chance(50)) world_.keeper.crash(serial);
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
    }
  }
  world_.turn([&] {
    if (world_.core.command(verb, name, dependents, dependencies, "rest").ok()) {
      store_watcher_.commanded(name, verb == Verb::stop ? Desired::down : Desired::up);
      world_.core.after_publish([this] {
        if (world_.recorder.published != world_.recorder.events.size()) {
          watcher_.found("order of a turn", "", "an answer before its turn's events were published");
        }
      });
    }
  });
}

void Simulation::overwrite(Member& member) {
  if (!member.registered) return add(member, "true");
  if (!member.called() && !member.fixed && chance(20)) member.url_only = member.probed && !member.url_only;
  if (member.replicas > 1 && !member.fixed && chance(40)) member.replicas = 2 + static_cast<int>(below(3));
  add(member, chance(50) ? "true" : "false");
}

void Simulation::whole_stop() {
  const bool patient = chance(60);
  bool answered = false;
  watcher_.stops_in_order(patient);
  for (const Member& each : members_) {
    for (const std::string& id : each.ids) watcher_.operator_acts(id);
  }
  world_.turn([&] {
    world_.core.stop(world_.loop.now().steady + (patient ? seconds(300) : seconds(3)), [&](const std::vector<std::string>& left) {
      answered = true;
      if (left.empty() && !world_.keeper.all_swept()) watcher_.found("whole stop", "", "answered while processes are left");
      watcher_.stops_in_order(false);
    });
  });
  const bool cut_short = chance(30);
  // Longer than any chain of dependents takes; the answer follows the last end, and not only when a deadline is over.
  for (int passed = 0; passed < (cut_short ? 1 : 240); ++passed) {
    world_.advance(seconds(1));
    if (!cut_short && world_.core.processes_alive() == 0) break;
  }
  if (!cut_short) world_.advance(seconds(1));
  if (!cut_short && !answered) watcher_.found("whole stop", "", "is not over though nothing holds it up");
  watcher_.stops_in_order(false);
  world_.turn([&] { EXPECT_TRUE(world_.core.start().ok()); });
  if (!answered) watcher_.found("whole stop", "", "was never answered");
}

void Simulation::recover(Member& member) {
  for (const std::uint64_t serial : member.serials) {
    world_.keeper.set(serial, {});
    world_.prober.unset(serial);
  }
}

// What stands for the user's function: it helps, or not, or makes it worse; it fails; it takes its time.
void Simulation::call(const actions::ActionRequest& request) {
  const std::uint64_t serial = request.run.serial;
  const std::string& id = request.spec->id;
  watcher_.called(request);
  store_watcher_.called(request);
  const Nanos span = healing_ || chance(60) ? Millis(below(2'000)) : Millis(below(40'000));
  const bool ok = healing_ || chance(70);
  const bool helps = ok && (healing_ || chance(60));
  const bool harms = !healing_ && !helps && chance(70);
  if (chance(40)) {
    // Meanwhile it comes back by itself.
    world_.loop.at(world_.loop.now().steady + span / 2, [this, serial] { world_.prober.unset(serial); });
  }
  world_.loop.at(world_.loop.now().steady + span, [this, run = request.run, id, ok, helps, harms] {
    // Who was unregistered meanwhile, or is another one now, hears nothing of it.
    const ViewPtr now = world_.view(id);
    if (now && now->serial == run.serial) {
      if (helps) world_.prober.unset(run.serial);
      if (harms && !healing_) world_.prober.set(run.serial, FakeProber::Answer::refused());
      watcher_.returned(id, ok);
    }
    world_.callable.answer(run, {.ok = ok, .reason = "it raised"});
  });
}

// Faults end: executables work, services answer, everybody is registered and wanted.
void Simulation::heal() {
  healing_ = true;
  if (store_kind() != StoreKind::prompt) {
    world_.store.set_mode(store::FakeStore::Mode::prompt);
    world_.advance(seconds(10));  // what it owes is stored, changes are taken again
    if (world_.core.storage_trouble() != nullptr) watcher_.found("store", "", "trouble does not end with its cause");
  }
  for (Member& member : members_) {
    if (!member.registered) add(member, "true");
    recover(member);
  }
  world_.advance(seconds(45));  // what has happened is known: the last exit comes within 30 s, its sweep takes 12 s
  for (const Member& member : members_) {
    for (const std::string& id : member.ids) {
      const ViewPtr view = world_.view(id);
      const bool down = view && (view->desired == Desired::down || view->lifecycle == Lifecycle::done ||
                                 (view->lifecycle == Lifecycle::failed && view->spec->restart.on == RestartOn::never));
      if (!down) continue;
      watcher_.operator_acts(id);
      world_.turn([&] { (void)world_.core.command(Verb::start, id, false, false, "rest").ok(); });
    }
  }
}

void Simulation::trouble_the_store() {
  using Mode = store::FakeStore::Mode;
  if (store_kind() != StoreKind::failing || store_random_() % 3 != 0) return;
  world_.store.set_failure({.full = store_random_() % 2 == 0, .reason = "it was told to fail"});
  world_.store.set_mode(std::array{Mode::prompt, Mode::slow, Mode::slow, Mode::failing, Mode::hung}[store_random_() % 5]);
}

void Simulation::check_converged() {
  for (const Member& member : members_) {
    for (const std::string& id : member.ids) {
      const ViewPtr view = world_.view(id);
      if (view && view->status == HealthStatus::healthy) continue;
      watcher_.found("comes back", id,
                     view ? std::string(wire_name(view->lifecycle)) + " " + std::string(wire_name(view->status)) + " " + view->figures().last_error()
                          : "unknown");
    }
  }
}

void Simulation::clear_away() {
  for (Member& member : members_) {
    if (member.registered) remove(member);
  }
  world_.advance(seconds(60));
  watcher_.check_leftovers();
  store_watcher_.check_leftovers();
}

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace azora::orchestrator
