#pragma once
// Where the control core puts its decisions, in the order of a turn: board and pool state first, then events, then
// answers, then actions. Implemented over pools and event log in live_publisher.hpp, and by the simulation's recorder.
// Threads: the control thread.
#include <cstdint>
#include <memory>
#include <string>

#include "azora/balancer/types.hpp"
#include "azora/events/check_record.hpp"
#include "azora/model/event.hpp"
#include "azora/model/service_spec.hpp"
#include "azora/orchestrator/board.hpp"

namespace azora::orchestrator {

using balancer::Admin;
using balancer::Exclusion;
using balancer::Standing;
using balancer::Tier;

class Publisher {
 public:
  virtual ~Publisher() = default;
  // Gives the event its place in the sequence; readers see it after publish().
  virtual std::uint64_t append(Event event) = 0;
  // The same for a health check. Its service has a name: the id that readers see. The name is given before the first
  // check and dropped after the last one.
  virtual std::uint64_t append_check(events::Check check) = 0;
  virtual void add_name(std::uint64_t serial, std::shared_ptr<const std::string> id) = 0;
  virtual void drop_name(std::uint64_t serial) = 0;
  virtual std::uint64_t head() const = 0;
  // The service is a candidate of its pools from now on (excluded until set_standing says otherwise).
  virtual void pool_put(std::uint64_t serial, const SpecPtr& spec) = 0;
  virtual void pool_remove(std::uint64_t serial) = 0;
  // An exclusion takes effect at once for every picker; an improvement takes effect with publish(). `stopped` also ends
  // the leases of that incarnation; what the owner says about the traffic does not.
  virtual void set_standing(std::uint64_t serial, Standing standing, std::uint64_t incarnation) = 0;
  // How many leases are held of the service now.
  virtual std::uint32_t leases(std::uint64_t serial) const = 0;
  // End of a turn: the board (null: unchanged), then the turn's events, become visible.
  virtual void publish(std::shared_ptr<const Board> board) = 0;
};

}  // namespace azora::orchestrator
