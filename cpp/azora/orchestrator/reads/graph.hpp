#pragma once
// Which entry needs which, as JSON, made of the published state on the caller's thread: the whole graph, which may have
// megabytes and is kept like a list, and the neighbourhood of one name.
// Threads: any. Ownership: bodies are shared with their readers. Fails: dependencies(): unknown_service.
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "azora/base/mutex.hpp"
#include "azora/base/result.hpp"
#include "azora/orchestrator/reads/kept_body.hpp"
#include "azora/orchestrator/reads/topology.hpp"

namespace azora::orchestrator {

class GraphReads {
 public:
  // {"nodes":[{"id","type","status","lifecycle","rank"[,"instances","ready"]}...],
  // "edges":[{"from","to"[,"instance"],"condition","strength","min","satisfied"}...],"startOrder":[ids]}, all of entries
  Body graph(const Moment& moment);
  // {"serviceId","dependencies":[...],"dependents":[ids],"tree":[{"id","depth","missing"}...]}
  Result<std::string> dependencies(const Board& board, std::string_view id);

  std::uint64_t bytes_made() const { return bytes_made_.load(std::memory_order_relaxed); }

 private:
  // The parts that change only with membership and configuration.
  struct Fixed {
    std::shared_ptr<const Topology> topology;
    std::string start_order;  // a JSON array
  };
  std::shared_ptr<const Fixed> fixed_of(const Board& board);

  KeptTopology topology_;
  KeptBody body_;
  Mutex mutex_;
  std::shared_ptr<const Fixed> fixed_ AZORA_GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> bytes_made_{0};
};

}  // namespace azora::orchestrator
