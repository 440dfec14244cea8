// Seeded lives: orchestrators end at random instants, with commits, commands and reports under way, among registrations,
// verbs, deaths of processes, reboots and a store that is slow or fails. What was acknowledged must be there, nothing may
// run twice, and when the faults end everything must be as its owner wants it. AZORA_SIM_SEED=N replays one seed,
// AZORA_SIM_SEEDS=N sets how many are tried.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "support/lives.hpp"

namespace azora::orchestrator {
namespace {

using std::chrono::seconds;

class Search {
 public:
  explicit Search(std::uint64_t seed) : random_(seed) {
    lives_.keeper.set_delay([this] { return Micros(below(3'000)); });
    lives_.store.set_delay([this] { return Millis(below(200)); });
    lives_.keeper.set_default([this](const keeper::Launch&) {
      return keeper::FakeKeeper::Behaviour{.stops_in = Millis(below(400)), .sweeps_in = Millis(below(50))};
    });
    lives_.keeper.on_command = [this](const keeper::FakeKeeper::Command& command) {
      constexpr const char* kWords[] = {"launch", "stop", "kill", "forget", "adopt", "acknowledge"};
      tell(std::string(kWords[static_cast<int>(command.kind)]) + " " + command.id + " " + std::to_string(command.serial) + "." +
           std::to_string(command.incarnation));
    };
  }

  void run() {
    for (int step = 0; step < 150; ++step) {
      act();
      lives_.advance(Micros(below(chance(10) ? 3'000'000 : 20'000)));
      look("step " + std::to_string(step));
    }
    settle();
  }
  const std::vector<std::string>& problems() const { return problems_; }
  // What was asked of the keeper, and when lives ended; for the replay of one seed.
  const std::string& story() const { return story_; }

 private:
  struct Owner {
    bool there = false;  // as acknowledged last
    bool up = true;
    int changes = 0;
    int answered = 0;    // the last change that was answered
    bool sure() const { return changes == answered; }
  };

  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  bool chance(unsigned percent) { return below(100) < percent; }
  std::string any() { return "s" + std::to_string(below(6)); }

  void act() {
    switch (below(12)) {
      case 0:
      case 1: return put(any());
      case 2: return remove(any());
      case 3:
      case 4: return command(any());
      case 5:
      case 6: return kill_one();
      case 7: return set_store();
      case 8: return restart_link();
      case 9: return chance(15) ? reboot() : crash();
      default: return crash();
    }
  }

  void put(const std::string& id) {
    const std::string more = chance(30) ? R"(,"dependencies":["s0"])" : chance(30) ? R"(,"restartPolicy":"on-failure")" : "";
    const std::string text = "{\"id\":\"" + id + R"(","type":"core","endpoint":"http://127.0.0.1:)" + std::to_string(8000 + id[1]) +
                             R"(","healthCheckInterval":1000,"maxRestarts":-1,"flapLimit":0,"process":{"argv":["true"]})" +
                             (id == "s0" ? "" : more) + "}";
    change(id, [this, text] {
      auto specs = parse_service(text, {.origin = Origin::python, .base_dir = {}, .given_action = nullptr});
      return lives_.core().register_many(std::move(specs).value(), "python").ok();
    }, [](Owner& owner) {
      if (!owner.there) owner.up = true;
      owner.there = true;
    });
  }
  void remove(const std::string& id) {
    change(id, [this, id] {
      const Result<bool> done = lives_.core().unregister(id, "python");
      return done.ok() && done.value();
    }, [](Owner& owner) { owner.there = false; });
  }
  void command(const std::string& id) {
    const Verb verb = chance(40) ? Verb::stop : chance(50) ? Verb::start : Verb::restart;
    change(id, [this, id, verb] { return lives_.core().command(verb, id, false, false, "python").ok(); },
           [verb](Owner& owner) { owner.up = verb != Verb::stop; });
  }
  // The change is made in a turn of its own; its owner learns of it when it is answered.
  template <typename Body, typename Learn>
  void change(const std::string& id, const Body& body, Learn learn) {
    lives_.turn([this, id, &body, learn] {
      if (!body()) return;
      const int number = ++owners_[id].changes;
      lives_.core().after_commit([this, id, learn, number](const Result<void>& stored) {
        if (!stored) return;  // in effect, and not promised
        learn(owners_[id]);
        owners_[id].answered = number;
      });
    });
  }
  void kill_one() {
    const std::vector<keeper::Serial> running = lives_.keeper.running();
    if (running.empty()) return;
    const keeper::Serial serial = running[below(running.size())];
    tell("death of " + std::to_string(serial));
    chance(20) ? lives_.keeper.lose(serial) : chance(20) ? lives_.keeper.crash(serial, 0) : lives_.keeper.crash(serial);
  }
  void set_store() {
    using Mode = store::FakeStore::Mode;
    lives_.store.set_mode(chance(60) ? Mode::prompt : chance(70) ? Mode::slow : chance(50) ? Mode::failing : Mode::hung);
  }
  void restart_link() { lives_.advance(Millis(below(500))); }
  void crash() {
    tell("crash");
    if (chance(30)) lives_.store.set_mode(store::FakeStore::Mode::slow);
    lives_.crash(below(3));
    lives_.advance(Micros(below(chance(30) ? 2'000'000 : 2'000)));
    if (chance(30)) kill_one();
    begin();
  }
  void reboot() {
    lives_.crash(below(3));
    lives_.options.boot_id += "+";
    lives_.keeper.vanish();
    tell("reboot");
    begin();
  }
  void begin() {
    const Result<void> begun = lives_.begin();
    if (!begun) problem("the state is refused: " + begun.error().message);
    lives_.turn([] {});
    for (auto& [id, owner] : owners_) {
      const ViewPtr view = lives_.view(id);
      if (owner.sure() && owner.there != (view != nullptr)) {
        problem(id + (owner.there ? ": its acknowledged registration is lost" : ": its acknowledged removal is undone"));
      }
      if (owner.sure() && view && owner.up != (view->desired == Desired::up)) problem(id + ": its owner's wish is lost");
      owner.there = view != nullptr;  // what was not answered is as it is now
      if (view) owner.up = view->desired == Desired::up;
      owner.answered = owner.changes;
    }
  }

  void look(const std::string& when) {
    for (const std::string& one : lives_.keeper.violations()) problem(when + ": " + one);
    lives_.turn([&] {
      for (const std::string& one : lives_.core().violations()) problem(when + ": " + one);
    });
  }
  void settle() {
    lives_.store.set_mode(store::FakeStore::Mode::prompt);
    lives_.advance(seconds(400));
    std::size_t living = 0;
    for (const auto& [id, owner] : owners_) {
      const ViewPtr view = lives_.view(id);
      if (!view) continue;
      const bool up = view->desired == Desired::up;
      if (up) ++living;
      const bool done = view->lifecycle == Lifecycle::done;  // it ended with 0, and its policy says on-failure
      if (up && !done && view->lifecycle != Lifecycle::ready) {
        const bool blocked = view->lifecycle == Lifecycle::blocked && !is_up("s0");
        if (!blocked) problem(id + " is " + std::string(wire_name(view->lifecycle)) + " after all");
      }
      if (!up && lives_.keeper.alive(view->serial) && !is_known_gap(id)) problem(id + " runs, and is not wanted");
    }
    for (const keeper::Serial serial : lives_.keeper.running()) {
      bool known = false;
      for (const auto& [id, owner] : owners_) known = known || lives_.serial(id) == serial;
      if (!known) problem("serial " + std::to_string(serial) + " runs, and nobody has it");
    }
    look("at the end");
  }
  // A start was made from memory while the store failed, was decided anew by the next orchestrator and called off before it
  // left: the run of before stays with its shim until the service is started or removed.
  bool is_known_gap(const std::string& id) const {
    const std::vector<std::string> left = lives_.keeper.left_alone();
    return std::find(left.begin(), left.end(), id) != left.end();
  }
  bool is_up(const std::string& id) {
    const ViewPtr view = lives_.view(id);
    return view && view->lifecycle == Lifecycle::ready;
  }
  void tell(const std::string& what) {
    story_ += std::to_string(to_millis(lives_.loop.now().steady.time_since_epoch()).count()) + " ms: " + what + "\n";
  }
  void problem(std::string text) {
    tell(text);
    if (problems_.size() < 5) problems_.push_back(std::move(text));
  }

  std::mt19937_64 random_;
  std::map<std::string, Owner> owners_;
  std::vector<std::string> problems_;
  std::string story_;
  Lives lives_;
};

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(RestoreSearch, NothingIsLostOrDoubledWhateverEndsWhen) {
  const std::uint64_t only = number_from("AZORA_SIM_SEED", 0);
  const std::uint64_t count = number_from("AZORA_SIM_SEEDS", 100);
  for (std::uint64_t seed = only ? only : 1; seed <= (only ? only : count); ++seed) {
    Search search(seed);
    search.run();
    std::string all;
    for (const std::string& one : search.problems()) all += "\n  " + one;
    ASSERT_TRUE(search.problems().empty()) << (only ? search.story() : "") << "seed " << seed << ":" << all;
  }
}

}  // namespace
}  // namespace azora::orchestrator
