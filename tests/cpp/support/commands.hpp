#pragma once
// Verbs as tests give them, and when a service was told to do what.
// Threads: the test's.
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/world.hpp"

namespace azora::orchestrator {

// When the first command of that kind for that service was given; nullopt: never.
inline std::optional<std::size_t> place(const World& world, keeper::FakeKeeper::Command::Kind kind, std::uint64_t serial,
                                        std::size_t from = 0) {
  for (std::size_t i = from; i < world.keeper.commands.size(); ++i) {
    if (world.keeper.commands[i].kind == kind && world.keeper.commands[i].serial == serial) return i;
  }
  return std::nullopt;
}

inline VerbAnswer command(World& world, Verb verb, const std::string& id, bool dependents = false,
                          bool dependencies = false) {
  VerbAnswer answer;
  world.turn([&] {
    Result<VerbAnswer> done = world.core.command(verb, id, dependents, dependencies, "rest");
    ASSERT_TRUE(done.ok()) << (done.ok() ? "" : done.error().message);
    answer = std::move(done).value();
  });
  return answer;
}

// What it starts behaves so from now on, what runs of it included.
inline void restart_as(World& world, std::uint64_t serial, const keeper::FakeKeeper::Behaviour& behaviour) {
  world.keeper.set(serial, behaviour);
  world.advance(std::chrono::seconds(1));
  world.keeper.crash(serial);
  world.advance(std::chrono::seconds(1));
}

// The stop of the whole, and who was left when it was answered; nullopt: it is not yet.
using LeftRunning = std::shared_ptr<std::optional<std::vector<std::string>>>;
inline LeftRunning stop_all(World& world, Nanos span, StopScope scope = StopScope::all) {
  auto answer = std::make_shared<std::optional<std::vector<std::string>>>();
  world.turn([&] {
    const auto done = [answer](const std::vector<std::string>& left) { *answer = left; };
    world.core.stop(world.loop.now().steady + span, done, scope);
  });
  return answer;
}

}  // namespace azora::orchestrator
