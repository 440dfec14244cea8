#pragma once
// Verbs as tests give them, and when a service was told to do what.
// Threads: the test's.
#include <optional>
#include <string>
#include <utility>

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

}  // namespace azora::orchestrator
