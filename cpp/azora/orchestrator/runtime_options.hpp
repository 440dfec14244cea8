#pragma once
// What the parts of a running orchestrator are made with.
// Threads: the maker's. Ownership: values; borrows the loop. Fails: never.
#include "azora/balancer/balancer.hpp"
#include "azora/base/loop.hpp"
#include "azora/base/thread.hpp"
#include "azora/health/net_prober.hpp"
#include "azora/keeper/client_options.hpp"
#include "azora/orchestrator/core.hpp"
#include "azora/orchestrator/opened_state.hpp"

namespace azora::orchestrator {

// `work`: rebuilds the tables of pools.
balancer::BalancerOptions balancer_options(Loop& work);
CoreOptions core_options(const Options& options);
keeper::ClientOptions keeper_options(const Options& options, const OpenedState& state, ThreadDied died);
health::NetProberOptions prober_options(const ThreadDied& died);

}  // namespace azora::orchestrator
