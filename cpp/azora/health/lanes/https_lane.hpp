#pragma once
// https:// probes, over net::HttpsClient.
// Threads: the net thread. Ownership: the client and its connections.
#include <memory>
#include <vector>

#include "azora/health/lanes/lane.hpp"
#include "azora/health/reuse.hpp"
#include "azora/net/https_client.hpp"

namespace azora::health {

class HttpsLane : public Lane {
 public:
  explicit HttpsLane(const World& world);

  void start(Slot slot, const std::shared_ptr<const ProbeTarget>& target) override;
  void addresses(Slot slot, std::vector<net::Address>& found) override;
  void cancel(Slot slot) override;
  void forget(Slot slot) override;
  void on_event(std::uint64_t data, std::uint32_t events, SteadyTime now) override;
  std::optional<SteadyTime> next() const override { return client_.next(); }
  void advance(SteadyTime now) override { client_.advance(now); }

 private:
  struct Peer {
    std::shared_ptr<const ProbeTarget> target;
    ReuseCount reuse;
    bool open = false;
  };

  void on_done(net::HttpsClient::Done done);

  World world_;
  net::HttpsClient client_;
  std::vector<Peer> peers_;  // by slot
};

}  // namespace azora::health
