#pragma once
// What all pools of one balancer share: the worker that rebuilds their tables, and the counters that show what
// a change costs (R13).
// Threads: any. Ownership: shared by the balancer and its pools.
#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

namespace azora::balancer {

// Runs a job soon on a thread that may be busy for some milliseconds. Jobs keep nothing alive and
// may run at any later time.
using Worker = std::function<void(std::function<void()>)>;

struct PoolShared {
  explicit PoolShared(Worker run) : worker(std::move(run)) {}

  const Worker worker;  // empty: tables are rebuilt by the pick that needs them

  std::atomic<std::uint64_t> members_touched{0};  // places written or moved by changes
  std::atomic<std::uint64_t> flaps{0};            // changes of a member's eligibility in a pool
  std::atomic<std::uint64_t> names_published{0};  // names that were added, removed or given to another service
  std::atomic<std::uint64_t> tables_built{0};
  std::atomic<std::uint64_t> entries_built{0};    // members put into those tables
};

}  // namespace azora::balancer
