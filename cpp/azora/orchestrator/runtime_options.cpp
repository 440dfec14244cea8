#include "azora/orchestrator/runtime_options.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "azora/base/file_limit.hpp"

namespace azora::orchestrator {

balancer::BalancerOptions balancer_options(Loop& work) {
  balancer::BalancerOptions options;
  options.worker = [&work](std::function<void()> job) { work.post(std::move(job)); };
  return options;
}

CoreOptions core_options(const Options& options) {
  CoreOptions core;
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  core.max_concurrent_starts = options.max_concurrent_starts < 0 ? std::max(4, 2 * cores) : options.max_concurrent_starts;
  core.starts_per_second = options.starts_per_second;
  core.fd_limit = file_limit();
  core.boot_id = read_boot_id();
  return core;
}

keeper::ClientOptions keeper_options(const Options& options, const OpenedState& state, ThreadDied died) {
  keeper::ClientOptions keeper;
  keeper.program = options.keeper_path;
  keeper.runtime_dir = options.runtime_dir;
  keeper.build_id = options.build_id;
  keeper.died = std::move(died);
  if (state.is_durable()) {
    keeper.folder = state.keeper_folder();
    keeper.durable = true;
    keeper.token = state.fleet_token();
    keeper.epoch = state.heads().epoch;
  }
  return keeper;
}

health::NetProberOptions prober_options(const ThreadDied& died) {
  health::NetProberOptions prober;
  prober.fd_limit = file_limit();
  prober.resolver.died = died;
  return prober;
}

}  // namespace azora::orchestrator
