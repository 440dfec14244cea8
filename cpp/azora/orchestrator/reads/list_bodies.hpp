#pragma once
// The bodies of the lists (/status, /services), each made at most once per version (kept_body.hpp). Figures are read
// while a body is made.
// Threads: any. Ownership: bodies are shared with their readers. Fails: never.
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "azora/base/mutex.hpp"
#include "azora/orchestrator/reads/kept_body.hpp"

namespace azora::orchestrator {

class ListBodies {
 public:
  // {"running","totalServices","healthyServices","unhealthyServices","services":[health...],"endedServices":[ids]};
  // "endedServices": reads/ended.hpp; detailed: ServiceView::append_detailed.
  Body status(const Moment& moment, bool detailed);
  // {"services":[health...]}
  Body services(const Moment& moment);
  // {"services":[{"id","name","type","health"}...]} of one type.
  Body of_type(const Moment& moment, const std::string& type);

  std::uint64_t bytes_made() const { return bytes_made_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kTypes = 64;  // so many types have a kept body

  KeptBody status_;
  KeptBody detailed_;
  KeptBody services_;
  Mutex types_mutex_;
  std::map<std::string, std::shared_ptr<KeptBody>> types_ AZORA_GUARDED_BY(types_mutex_);
  std::atomic<std::uint64_t> bytes_made_{0};
};

}  // namespace azora::orchestrator
