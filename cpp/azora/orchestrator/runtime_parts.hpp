#pragma once
// Parts of a running orchestrator that belong together: each lends to the next one in its struct.
// Threads: the maker's; see each part. Ownership: each struct owns its parts and borrows the loop. Fails: never.
#include <utility>

#include "azora/actions/callable.hpp"
#include "azora/actions/table.hpp"
#include "azora/base/loop.hpp"
#include "azora/base/thread.hpp"
#include "azora/health/net_prober.hpp"
#include "azora/keeper/client.hpp"
#include "azora/orchestrator/listener_desk.hpp"
#include "azora/orchestrator/reads/graph.hpp"
#include "azora/orchestrator/reads/list_bodies.hpp"

namespace azora::orchestrator {

// Texts that are kept and shared by their readers.
struct KeptBodies {
  ListBodies lists;
  GraphReads graph;
};
// The prober asks services how they are; the desk asks the kernel whose listener answered.
struct CheckParts {
  CheckParts(Loop& loop, health::NetProberOptions options, const ThreadDied& died)
      : prober(loop, std::move(options)), listeners(loop, died) {}
  health::NetProber prober;
  ListenerDesk listeners;
};
// The actions, and the keeper they need.
struct ActionParts {
  ActionParts(Loop& loop, keeper::ClientOptions options) : keeper(loop, std::move(options)) {}
  keeper::KeeperClient keeper;
  actions::CallableAction callables;
  actions::ActionTable table{keeper, {{&kCallableAction, &callables}}};
};

}  // namespace azora::orchestrator
