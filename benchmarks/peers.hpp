#pragma once
// The peers of a pick: the same job, a type looked up by its name and one healthy instance of it answered, done as it
// is usually done. Not tuned against: each is the textbook form.
//   MutexRoundRobin   what somebody writes first
//   EdfHeap           Envoy's weighted round-robin: a heap by deadline, each pick puts its host back
//   SmoothScan        nginx's weighted round-robin: every pick walks all hosts
// Threads: pick() any, under one mutex. Ownership: plain. Fails: null when nobody is healthy.
#include <cstddef>
#include <mutex>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cases.hpp"

namespace azora::bench {

struct PeerHost {
  std::string id;
  std::string endpoint;
  bool healthy = true;
  double weight = 1;
  double current = 0;  // SmoothScan
};

inline std::vector<PeerHost> peer_hosts(int instances) {
  std::vector<PeerHost> hosts;
  for (int i = 0; i < instances; ++i) {
    hosts.push_back({.id = numbered("s", i),
                     .endpoint = numbered("http://127.0.0.1:", 1024 + i % 60'000),
                     .weight = static_cast<double>(1 + i % 5)});
  }
  return hosts;
}

class MutexRoundRobin {
 public:
  explicit MutexRoundRobin(int instances) : hosts_(peer_hosts(instances)) {}
  const PeerHost* pick() {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (std::size_t tried = 0; tried < hosts_.size(); ++tried) {
      const PeerHost& host = hosts_[next_++ % hosts_.size()];
      if (host.healthy) return &host;
    }
    return nullptr;
  }

 private:
  std::mutex mutex_;
  std::vector<PeerHost> hosts_;
  std::size_t next_ = 0;
};

class EdfHeap {
 public:
  explicit EdfHeap(int instances) : hosts_(peer_hosts(instances)) {
    for (std::size_t i = 0; i < hosts_.size(); ++i) heap_.push({1 / hosts_[i].weight, i});
  }
  const PeerHost* pick() {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (std::size_t tried = 0; tried < hosts_.size(); ++tried) {
      const Due due = heap_.top();
      heap_.pop();
      const PeerHost& host = hosts_[due.host];
      heap_.push({due.deadline + 1 / host.weight, due.host});
      if (host.healthy) return &host;
    }
    return nullptr;
  }

 private:
  struct Due {
    double deadline;
    std::size_t host;
    bool operator<(const Due& other) const { return deadline > other.deadline; }
  };
  std::mutex mutex_;
  std::vector<PeerHost> hosts_;
  std::priority_queue<Due> heap_;
};

class SmoothScan {
 public:
  explicit SmoothScan(int instances) : hosts_(peer_hosts(instances)) {}
  const PeerHost* pick() {
    const std::lock_guard<std::mutex> lock(mutex_);
    PeerHost* best = nullptr;
    double total = 0;
    for (PeerHost& host : hosts_) {
      if (!host.healthy) continue;
      host.current += host.weight;
      total += host.weight;
      if (!best || host.current > best->current) best = &host;
    }
    if (best) best->current -= total;
    return best;
  }

 private:
  std::mutex mutex_;
  std::vector<PeerHost> hosts_;
};

// One peer under the name of its type.
template <typename Peer>
class ByType {
 public:
  explicit ByType(int instances) { types_.try_emplace("core", instances); }
  const PeerHost* pick(const std::string& type) {
    const auto found = types_.find(type);
    return found == types_.end() ? nullptr : found->second.pick();
  }

 private:
  std::unordered_map<std::string, Peer> types_;
};

}  // namespace azora::bench
