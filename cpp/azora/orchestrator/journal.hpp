#pragma once
// Tracks which services and entries may differ from the rows that the store last got, and makes new rows for those that
// do differ. It compares only what was touched, and writes only what differs. So a turn costs in proportion to what
// changed, and a check that changes nothing writes nothing. With a store that keeps no rows nothing is compared.
// Threads: the control thread. Ownership: borrows its sources, which outlive it. Fails: collect() by what its
// sources throw; then everything stays touched.
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "azora/base/loop.hpp"
#include "azora/base/serial_map.hpp"
#include "azora/base/thread_role.hpp"
#include "azora/orchestrator/durable.hpp"
#include "azora/orchestrator/fleet.hpp"
#include "azora/orchestrator/verbs.hpp"
#include "azora/store/store.hpp"

namespace azora::orchestrator {

class Journal {
 public:
  struct Sources {
    const Fleet& fleet;
    const Verbs& verbs;
    std::function<Now()> now;
    std::function<std::uint64_t()> event_head;
    std::function<std::uint64_t()> epoch;  // of the link to the keeper
    std::function<std::optional<std::uint32_t>(std::uint64_t serial)> ordinal;
    std::string boot_id = {};  // of the running system
  };
  Journal(const store::Store& store, Sources sources);
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // The store holds these rows, from a former orchestrator. The services are written again where they differ.
  void begin_with(const store::HeadsRecord& heads) AZORA_CONTROL { heads_ = heads; }
  void begin_with(const store::ServiceRecord& record) AZORA_CONTROL;

  const std::string& boot_id() const { return sources_.boot_id; }
  // True if the store keeps rows. Only then is there something to compare.
  bool keeps() const { return keeps_; }
  // What is stored of this service may have changed, or the service was removed.
  void touch(std::uint64_t serial) AZORA_CONTROL {
    if (keeps_) services_.insert(serial);
  }
  // An entry was written by `actor` (static text), or was removed.
  void touch_entry(const std::string& name, std::string_view actor) AZORA_CONTROL;

  // The rows that were touched and differ from those given before. From now on they count as given.
  store::Batch collect() AZORA_CONTROL;
  // The ticket of the last batch, and its answer. The next collect() repeats the rows of a failed batch.
  void gave(store::Ticket ticket) AZORA_CONTROL;
  void committed(store::Ticket ticket) AZORA_CONTROL;
  void failed(store::Ticket ticket) AZORA_CONTROL;
  // The last batch was not given to the store after all: its rows come again with the next collect().
  void not_given() AZORA_CONTROL;
  // True while rows of a failed ticket have not come again.
  bool owes() const AZORA_CONTROL { return owes_; }

  // Services that differ from their row although they were not touched; one line each. For the simulation.
  std::vector<std::string> violations() const AZORA_CONTROL;

 private:
  struct Given {
    store::Ticket ticket = 0;
    std::vector<std::uint64_t> services;
    std::vector<std::string> entries;
  };
  void take_back(const Given& given) AZORA_CONTROL;
  ServiceFacts facts_of(const ServiceState& service) const AZORA_CONTROL;
  void collect_services(store::Batch& batch) AZORA_CONTROL;
  void collect_entries(store::Batch& batch) AZORA_CONTROL;
  void collect_heads(store::Batch& batch) AZORA_CONTROL;

  const Sources sources_;
  const bool keeps_;
  std::set<std::uint64_t> services_ AZORA_OF_CONTROL;                           // touched, by serial
  std::set<std::string> entries_ AZORA_OF_CONTROL;                              // touched
  std::unordered_map<std::string, std::string_view> actors_ AZORA_OF_CONTROL;   // who wrote each entry last
  SerialMap<std::uint64_t> prints_ AZORA_OF_CONTROL;                            // of the rows as last given, by serial
  store::HeadsRecord heads_ AZORA_OF_CONTROL;                                   // as last given
  Given last_ AZORA_OF_CONTROL;                                                 // of the last collect()
  std::deque<Given> under_way_ AZORA_OF_CONTROL;
  bool owes_ AZORA_OF_CONTROL = false;
};

}  // namespace azora::orchestrator
