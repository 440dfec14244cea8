#pragma once
// Durable fleets outlive their orchestrator, so a test that is killed would leave them behind for ever. The janitor is a
// process beside the tests, in a session of its own, that waits for their end, whatever it is, and then kills by pid what
// still works in one of the folders it was told of: shims and keepers by their working directory, services by the mark in
// their environment.
// Threads: any. Ownership: one janitor per test process, started by the first folder. Fails: the test, when it cannot be
// started.
#include <filesystem>

namespace azora {

// What works in this folder, or has AZORA_TEST_MARK=<its name> in its environment, does not outlive this process.
void clean_up_after(const std::filesystem::path& folder);

}  // namespace azora
