#include "azora/orchestrator/journal.hpp"

#include <utility>

#include "azora/base/check.hpp"
#include "azora/base/undo.hpp"

namespace azora::orchestrator {
namespace {

// Numbers are reserved in blocks, long before they run out. So an event never waits for the store, and a service that
// was started while the store failed has a number that no later one gets.
constexpr std::uint64_t kEventBlock = std::uint64_t{1} << 20;
constexpr std::uint64_t kSerialBlock = std::uint64_t{1} << 16;

}  // namespace

Journal::Journal(const store::Store& store, Sources sources) : sources_(std::move(sources)), keeps_(store.keeps_rows()) {}

void Journal::begin_with(const store::ServiceRecord& record) {
  prints_[record.serial] = store::fingerprint(record);
  touch(record.serial);
}

void Journal::touch_entry(const std::string& name, std::string_view actor) {
  if (!keeps_) return;
  entries_.insert(name);
  actors_[name] = actor;
}

store::Batch Journal::collect() {
  store::Batch batch;
  owes_ = false;
  last_ = {};
  if (!keeps_) return batch;
  UndoUnlessDone collecting([this] {
    control_thread.assert_held();
    take_back(std::exchange(last_, {}));
  });
  collect_services(batch);
  collect_entries(batch);
  collect_heads(batch);
  collecting.done();
  services_.clear();
  entries_.clear();
  return batch;
}

ServiceFacts Journal::facts_of(const ServiceState& service) const {
  return {service, sources_.ordinal(service.serial), sources_.verbs.find(service.serial)};
}

void Journal::collect_services(store::Batch& batch) {
  for (const std::uint64_t serial : services_) {
    const ServiceState* service = sources_.fleet.by_serial(serial);
    if (service == nullptr) {
      if (!prints_.erase(serial)) continue;  // the service was added and removed within one turn
      batch.removed.push_back(store::service_key(serial));
    } else {
      const ServiceFacts facts = facts_of(*service);
      const std::uint64_t print = durable_print(facts);
      const std::uint64_t* given = prints_.find(serial);
      if (given != nullptr && *given == print) continue;
      prints_[serial] = print;
      batch.rows.push_back(store::encode(record_of(facts, sources_.now())));
    }
    last_.services.push_back(serial);
  }
}

void Journal::collect_entries(store::Batch& batch) {
  for (const std::string& name : entries_) {
    const registry::Entry* entry = sources_.fleet.registry().find(name);
    if (entry != nullptr) {
      batch.rows.push_back(store::encode(entry_record_of(*entry, actors_[name])));
    } else {
      actors_.erase(name);
      batch.removed.push_back(store::entry_key(name));
    }
    last_.entries.push_back(name);
  }
}

void Journal::collect_heads(store::Batch& batch) {
  store::HeadsRecord heads = heads_;
  if (const std::uint64_t last = sources_.fleet.registry().last_serial(); last + kSerialBlock / 2 > heads.last_serial) {
    heads.last_serial = last + kSerialBlock;
  }
  heads.next_order = sources_.fleet.registry().next_order();
  heads.epoch = sources_.epoch();
  heads.boot_id = sources_.boot_id;
  if (const std::uint64_t head = sources_.event_head(); head + kEventBlock / 2 > heads.event_seq) {
    heads.event_seq = head + kEventBlock;
  }
  if (heads == heads_) return;
  heads_ = heads;
  batch.rows.push_back(store::encode(heads));
}

void Journal::gave(store::Ticket ticket) {
  last_.ticket = ticket;
  under_way_.push_back(std::exchange(last_, {}));
}

void Journal::committed(store::Ticket ticket) {
  AZORA_ASSERT(!under_way_.empty() && under_way_.front().ticket == ticket);
  under_way_.pop_front();
}

void Journal::failed(store::Ticket ticket) {
  AZORA_ASSERT(!under_way_.empty() && under_way_.front().ticket == ticket);
  take_back(under_way_.front());
  under_way_.pop_front();
}

void Journal::not_given() {
  take_back(under_way_.back());
  under_way_.pop_back();
}

void Journal::take_back(const Given& given) {
  owes_ = true;
  heads_ = {};
  for (const std::uint64_t serial : given.services) {
    services_.insert(serial);
    prints_[serial] = 0;
  }
  entries_.insert(given.entries.begin(), given.entries.end());
}

std::vector<std::string> Journal::violations() const {
  std::vector<std::string> found;
  if (!keeps_) return found;
  sources_.fleet.for_each([&](std::uint64_t serial, const ServiceState& service) {
    control_thread.assert_held();
    const std::uint64_t* given = prints_.find(serial);
    if (services_.contains(serial) || (given != nullptr && *given == durable_print(facts_of(service)))) return;
    found.push_back(*service.id + ": differs from its stored row and was not touched");
  });
  return found;
}

}  // namespace azora::orchestrator
