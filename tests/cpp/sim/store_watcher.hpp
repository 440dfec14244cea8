#pragma once
// Judges what waits for the store and what must not, by what the store has and what the core does: nothing is started,
// told to stop or acknowledged before it is stored, unless the core says that the store is in trouble; exits wait for
// nothing; what is stored is what is. Trouble with the store ends when all that it refused is stored and all that it was
// given is answered, not before.
// Keeps what was acknowledged, for the next orchestrator to be judged by.
// Threads: the test's. Ownership: borrows world and watcher, which outlive it.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/watcher.hpp"
#include "support/world.hpp"

namespace azora::orchestrator {

class StoreWatcher {
 public:
  StoreWatcher(World& world, Watcher& watcher);

  // Changes that the core took, in the turn that takes them: their answer comes when they are stored.
  void registered(const SpecPtr& spec);
  void unregistered(const std::string& id);
  // `along`: others may be meant as well.
  void commanded(const std::string& id, Desired wanted, bool along);
  // Something else was asked for: what was acknowledged before need not be so any more.
  void asked(const std::string& entry, const std::string& id) {
    change(entry);
    change(id);
  }
  void maintained(const std::string& entry, const std::string& id, bool holds);
  void called(const actions::ActionRequest& request) { check_start(request.spec->id, request.run.serial, request.run.incarnation); }

  // After each turn.
  void check_turn();
  void life_ended();
  // What is acknowledged of that name, if nothing else was asked for since.
  struct Promise {
    bool there = false;
    std::optional<Desired> wanted;  // nullopt: not known
  };
  const std::map<std::string, Promise>& promises() const { return promises_; }
  std::optional<store::ServiceRecord> service(std::uint64_t serial);
  std::optional<store::EntryRecord> entry(const std::string& name);
  // Nothing is registered any more and the store answered.
  void check_leftovers();

 private:
  using Command = keeper::FakeKeeper::Command;

  std::uint64_t change(const std::string& id) { return ++changes_[id]; }
  // Calls judge() when the change is acknowledged and nothing else was asked for `id` meanwhile.
  void when_stored(const std::string& id, std::function<void()> judge);
  void check_start(const std::string& id, std::uint64_t serial, std::uint64_t incarnation);
  void check_trouble();
  void on_command(const Command& command);

  World& world_;
  Watcher& watcher_;
  std::map<std::string, std::uint64_t> changes_;                    // asked for, by id
  std::map<std::string, Promise> promises_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> exits_;      // serial and incarnation, reported in this turn
  std::size_t seen_ = 0;                                            // events of former turns
  bool trouble_ = false;                                            // as of the last turn
  store::Ticket given_ = 0;                                         // the last one of former turns
};

}  // namespace azora::orchestrator
