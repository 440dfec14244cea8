#include "sim/simulation.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "azora/model/service_name.hpp"

namespace azora::orchestrator {

using health::FakeProber;
using std::chrono::seconds;

Simulation::Simulation(std::uint64_t seed, Kind kind)
    : seed_(seed),
      random_(seed),
      world_({.max_concurrent_starts = 3, .starts_per_second = 4, .boot_id = "boot 1"}),
      store_random_(seed ^ 0x5709eULL),
      policy_random_(seed ^ 0x9011c7ULL),
      action_random_(seed ^ 0xac7104ULL),
      stranger_random_(seed ^ 0x57a96e5ULL),
      owner_random_(seed ^ 0xd7a19ULL),
      life_random_(seed ^ 0x11feULL),
      kind_(kind),
      crashes_(world_, {watcher_, store_watcher_, action_watcher_, life_watcher_}, tally_, seed ^ 0xdeadULL) {
  world_.loop.set_turn_end([this] { end_turn(); });
  if (has_lives()) {
    world_.prober.set_loss([this] { return life_random_() % 200 == 0 && !healing_; });
  }
  if (kind_ == Kind::years) crashes_.set_longest_absence(std::chrono::hours(1));
  if (store_kind() != StoreKind::prompt) {
    world_.store.set_delay([this] { return Nanos(Millis(store_random_() % (store_random_() % 20 == 0 ? 3'500 : 300))); });
    world_.store.set_written_anyway([this] { return store_random_() % 2 == 0; });
    world_.store.set_mode(store::FakeStore::Mode::slow);
  }
  if (stranger_random_() % 2 == 0) {
    world_.listeners.set_delay([this] { return Nanos(Micros(stranger_random_() % 50'000)); });
  }
  if (chance(70)) {
    world_.keeper.set_delay([this] { return Nanos(Micros(below(20'000))); });
    world_.prober.set_forget_race([this] { return chance(50); });
  } else if (has_lives()) {
    world_.keeper.set_delay([] { return Nanos(Micros(1)); });  // a link is made after the state was taken back
  }
}

void Simulation::run() {
  build();
  const std::uint64_t faults = 30 + below(40);
  for (std::uint64_t i = 0; i < faults && !failed(); ++i) {
    trouble_the_store();
    bring_strangers();
    if (!has_lives()) act_as_owners();
    end_lives();
    fault();
    const bool long_while = chance(20);
    constexpr std::uint64_t kDay = 24ULL * 3600 * 1000;
    pass_time(Millis(kind_ == Kind::years ? below(kDay) : below(long_while ? 40'000 : 3'000)));
  }
  if (failed()) return;
  heal();
  pass_time(seconds(460));  // past every backoff and one single try out of FAILED
  if (kind_ == Kind::years) pass_time(std::chrono::hours(1));  // and every interval
  check_converged();
  if (failed()) return;
  clear_away();
}

// A turn in which nothing was published, told or done has broken nothing that is seen; what takes too long is still seen
// a little later.
void Simulation::end_turn() {
  if (!world_.lives()) return;
  world_.core.end_turn();
  if (crashes_.end_turn()) return;
  if (const int life = world_.life_number(); std::exchange(life_, life) != life) {
    watcher_.life_began();
    life_watcher_.life_began();
  }
  store_watcher_.check_turn();
  constexpr int kMostQuietTurns = 50;
  // Of a larger fleet over a long time: a check that changes nothing that is published is one of millions.
  const std::uint64_t changes = kind_ == Kind::years ? reinterpret_cast<std::uintptr_t>(world_.recorder.board.get())
                                                     : world_.recorder.changes;
  const bool quiet = std::exchange(changes_, changes) == changes;
  if (quiet && ++quiet_turns_ < kMostQuietTurns) return;
  quiet_turns_ = 0;
  watcher_.check_turn();
  action_watcher_.check_turn();
  life_watcher_.check_turn();
}

void Simulation::pass_time(Nanos span) {
  const SteadyTime begin = world_.loop.now().steady;
  world_.advance(span);
  constexpr double kYear = 365.25 * 24 * 3600;
  const std::chrono::duration<double> passed = world_.loop.now().steady - begin;
  const auto services = world_.recorder.board ? static_cast<double>(world_.recorder.board->in_order.size()) : 0;
  tally_.service_years += services * passed.count() / kYear;
}

Tally Simulation::tally() const {
  Tally all = tally_;
  all.seeds = 1;
  all.turns = world_.loop.turns();
  all.checks = world_.prober.asked_total();
  all.events = world_.recorder.head();
  all.starts = static_cast<std::uint64_t>(world_.keeper.launches_total());
  return all;
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
  const std::size_t count = kind_ == Kind::years ? 30 + below(20) : 3 + below(10);
  for (std::size_t i = 0; i < count; ++i) {
    Member member;
    member.id = "s" + std::to_string(i);
    member.url_only = chance(10);
    if (!member.url_only && chance(25)) member.action = &kCallableAction;
    const bool called = member.action == &kCallableAction;
    member.probed = member.url_only || called || !chance(10);
    member.more = R"("group":"g)" + std::to_string(i % 3) + R"(","failedRetryInterval":200000)";
    const std::uint64_t unit = kind_ == Kind::years ? 300'000 : 1'000;
    member.more += R"(,"healthCheckInterval":)" + std::to_string(unit * (2 + below(4)));
    if (!member.url_only) {
      member.more += R"(,"maxRestarts":)" + std::to_string(1 + below(4));
      member.more += policy();
      if (chance(30)) member.more += R"(,"restartDelay":)" + std::to_string(200 + below(2'000));
    }
    // So short that a callable often takes longer.
    if (called && chance(60)) {
      member.more += R"(,"healthCheck":{"startTimeout":)" + std::to_string(1'000 + below(9'000)) + "}";
    }
    if (!member.url_only && !called && chance(20)) member.replicas = 2 + static_cast<int>(below(2));
    if (i > 0 && chance(50)) member.more += R"(,"dependencies":[)" + dependency_of(below(i)) + "]";
    if (kind_ == Kind::all) vary_action(member);
    members_.push_back(std::move(member));
  }
  for (Member& member : members_) add(member, "true");
}

// What the product has only these two of.
void Simulation::vary_action(Member& member) {
  const auto percent = action_random_() % 100;
  if (member.url_only) return;
  if (member.action == &kCallableAction) {
    if (percent < 60) member.action = percent < 35 ? &actions::kToldAction : &actions::kDeafAction;
  } else if (member.probed && member.replicas == 1 && percent < 35) {
    member.action = &actions::kUnitAction;
    // So short that its answer often takes longer.
    member.more += R"(,"healthCheck":{"startTimeout":)" + std::to_string(2'000 + action_random_() % 9'000) + "}";
  }
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
  if (!member.url_only && member.launched()) {
    text += R"(,"process":{"argv":[")" + argv + R"("],"replicas":)" + std::to_string(member.replicas) + "}";
  }
  const ActionKind* given = member.launched() || member.url_only ? nullptr : member.action;
  Result<std::vector<SpecPtr>> specs = parse_service(text + "}", {.origin = Origin::python, .given_action = given});
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
  const int life = world_.life_number();
  for (const std::string& id : member.ids) watcher_.removed(id);
  world_.turn([&] {
    if (world_.core.unregister(member.id, "rest").ok()) store_watcher_.unregistered(member.id);
  });
  if (world_.life_number() == life) member.registered = false;
}

void Simulation::recover(Member& member) {
  for (const std::uint64_t serial : member.serials) {
    world_.keeper.set(serial, {});
    world_.unit.set(serial, {});
    world_.prober.unset(serial);
  }
}

// Faults end: executables work, services answer, everybody is registered and wanted.
void Simulation::heal() {
  healing_ = true;
  crashes_.end();
  outside_.begin_healing();
  world_.listeners.clear();
  if (store_kind() != StoreKind::prompt) {
    world_.store.set_mode(store::FakeStore::Mode::prompt);
    world_.advance(seconds(10));  // what it owes is stored, changes are taken again
    if (world_.core.storage_trouble() != nullptr) watcher_.found("store", "", "trouble does not end with its cause");
  }
  for (Member& member : members_) {
    // What was not acknowledged when an orchestrator ended may be there or not.
    const bool there = std::all_of(member.ids.begin(), member.ids.end(), [this](const std::string& id) { return world_.view(id); });
    if (!member.registered || !there || has_lives()) add(member, "true");
    recover(member);
    for (const std::string& id : member.ids) watcher_.operator_acts(id);
    world_.turn([&] {
      (void)world_.core.admin().undrain(member.id, "rest").ok();
      (void)world_.core.admin().end_maintenance(member.id, "rest").ok();
    });
  }
  world_.advance(seconds(45));  // what has happened is known: the last exit comes within 30 s, its sweep takes 12 s
  for (const Member& member : members_) {
    for (const std::string& id : member.ids) {
      const ViewPtr view = world_.view(id);
      const bool down = view && (view->desired == Desired::down || view->lifecycle == Lifecycle::done ||
                                 (view->lifecycle == Lifecycle::failed && view->spec->restart->on == RestartOn::never));
      if (!down) continue;
      watcher_.operator_acts(id);
      world_.turn([&] { (void)world_.core.command(Verb::start, id, false, false, "rest").ok(); });
    }
  }
}

// A start that was made from memory while the store failed, decided anew by the next orchestrator and called off before
// it left, is known to its shim alone, which refuses the next one. Its end ends that.
bool Simulation::is_known_gap(const ServiceView& view) const {
  return has_lives() && store_kind() == StoreKind::failing && view.figures().last_error() == "its shim runs another one";
}

void Simulation::check_converged() {
  for (const Member& member : members_) {
    for (const std::string& id : member.ids) {
      const ViewPtr view = world_.view(id);
      if (view && view->status == HealthStatus::healthy) continue;
      if (view && is_known_gap(*view)) continue;
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
