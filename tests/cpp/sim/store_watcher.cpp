#include "sim/store_watcher.hpp"

#include <algorithm>
#include <array>

#include "azora/model/service_name.hpp"

namespace azora::orchestrator {

StoreWatcher::StoreWatcher(World& world, Watcher& watcher) : world_(world), watcher_(watcher) {
  world_.keeper.on_command = [this, then = world_.keeper.on_command](const Command& command) {
    on_command(command);
    if (then) then(command);
  };
  world_.keeper.on_exit_report = [this](std::uint64_t serial, std::uint64_t incarnation) {
    exits_.emplace_back(serial, incarnation);
  };
}

void StoreWatcher::when_stored(const std::string& id, std::function<void()> judge) {
  world_.core.after_commit([this, id, mine = change(id), judge = std::move(judge)](const Result<void>& stored) {
    if (world_.is_cut) return;  // the answer is lost
    if (!stored) {
      const ErrorCode code = stored.error().code;
      if (code != ErrorCode::storage_failed && code != ErrorCode::storage_full) {
        watcher_.found("tickets", id, "not stored, for another reason than the store's");
      }
    } else if (changes_[id] == mine) {
      judge();
    }
  });
}

void StoreWatcher::registered(const SpecPtr& spec) {
  promises_.erase(spec->id);
  when_stored(spec->id, [this, spec] {
    promises_[spec->id] = {.there = true, .wanted = {}};
    const auto record = entry(spec->id);
    if (!record || record->source != spec->source()) {
      watcher_.found("tickets", spec->id, "its registration is acknowledged and not stored");
    }
  });
}

void StoreWatcher::unregistered(const std::string& id) {
  promises_.erase(id);
  when_stored(id, [this, id] {
    promises_[id] = {};
    if (entry(id)) watcher_.found("tickets", id, "its removal is acknowledged and not stored");
  });
}

void StoreWatcher::commanded(const std::string& id, Desired wanted, bool along) {
  for (auto& [name, promise] : promises_) {
    if (along || names_service(name, id) || names_service(id, name)) promise.wanted.reset();
  }
  const ViewPtr view = world_.view(id);
  when_stored(id, [this, id, wanted, along, serial = view ? view->serial : 0] {
    const auto record = service(serial);
    const auto promise = promises_.find(id);
    if (promise != promises_.end() && promise->second.there && !along) promise->second.wanted = wanted;
    if (serial != 0 && (!record || record->wanted != wanted)) watcher_.found("tickets", id, "a verb is acknowledged and not stored");
  });
}

void StoreWatcher::maintained(const std::string& entry, const std::string& id, bool holds) {
  change(entry);
  const ViewPtr view = world_.view(id);
  when_stored(id, [this, id, holds, serial = view ? view->serial : 0] {
    const auto record = service(serial);
    const bool stored = serial == 0 || (record && record->maintenance.has_value() == holds);
    if (!stored) watcher_.found("tickets", id, "its maintenance, or the end of it, is acknowledged and not stored");
  });
}

void StoreWatcher::on_command(const Command& command) {
  if (world_.core.storage_trouble() != nullptr) return;
  const auto record = service(command.serial);
  const bool of_it = record && record->machine.incarnation == command.incarnation;
  switch (command.kind) {
    case Command::Kind::launch: return check_start(command.id, command.serial, command.incarnation);
    case Command::Kind::stop: {
      // Its next incarnation, or the removal of its service, may be stored with it: then it had ended before.
      if (!record || record->machine.incarnation > command.incarnation) return;
      const bool runs = record->machine.lifecycle == Lifecycle::starting || record->machine.lifecycle == Lifecycle::ready;
      if (!of_it || runs) watcher_.found("tickets", record->id, "told to stop before that was stored");
      return;
    }
    case Command::Kind::forget:
      if (record) watcher_.found("tickets", record->id, "forgotten before that was stored");
      return;
    case Command::Kind::acknowledge: {
      constexpr std::array ended = {Lifecycle::idle, Lifecycle::blocked, Lifecycle::backoff, Lifecycle::failed, Lifecycle::done};
      const bool stored = !of_it || std::find(ended.begin(), ended.end(), record->machine.lifecycle) != ended.end();
      if (!stored) watcher_.found("tickets", record->id, "its end is acknowledged before it is stored");
      return;
    }
    case Command::Kind::adopt:
    case Command::Kind::kill: return;
  }
}

void StoreWatcher::check_start(const std::string& id, std::uint64_t serial, std::uint64_t incarnation) {
  if (world_.core.storage_trouble() != nullptr) return;
  const auto record = service(serial);
  if (!record || record->machine.incarnation != incarnation) {
    watcher_.found("tickets", id, "incarnation " + std::to_string(incarnation) + " is started before it is stored");
  }
}

void StoreWatcher::check_trouble() {
  const bool ended = trouble_ && world_.core.storage_trouble() == nullptr;
  trouble_ = world_.core.storage_trouble() != nullptr;
  const store::Ticket open = world_.store.oldest_under_way();
  if (ended && open != 0 && open <= given_) {
    watcher_.found("trouble", "", "the store's trouble ends while an answer of it is outstanding");
  }
  if (ended && !world_.store.owed().empty()) {
    watcher_.found("trouble", world_.store.owed().begin()->name, "the store's trouble ends before what it refused is stored");
  }
  given_ = world_.store.commits();
}

void StoreWatcher::check_turn() {
  check_trouble();
  const auto& events = world_.recorder.events;
  for (const auto& [serial, incarnation] : std::exchange(exits_, {})) {
    const auto told = std::any_of(events.begin() + static_cast<std::ptrdiff_t>(seen_), events.end(), [&](const Recorder::Seen& one) {
      return one.type == EventType::service_exited && one.incarnation == incarnation;
    });
    if (!told) watcher_.found("exits do not wait", "", "the exit of serial " + std::to_string(serial) + " was not told in its turn");
  }
  seen_ = events.size();
}

void StoreWatcher::life_ended() {
  exits_.clear();
  seen_ = world_.recorder.events.size();
  trouble_ = false;
  given_ = 0;
}

void StoreWatcher::check_leftovers() {
  for (const auto& [key, bytes] : world_.store.image()) {
    if (key.table != store::Table::heads) watcher_.found("leftovers", key.name, "a stored row");
  }
  if (world_.store.under_way() != 0) watcher_.found("leftovers", "", "commits under way");
}

std::optional<store::ServiceRecord> StoreWatcher::service(std::uint64_t serial) {
  const std::string* bytes = world_.store.find(store::service_key(serial));
  if (bytes == nullptr) return std::nullopt;
  Result<store::ServiceRecord> record = store::decode_service({store::service_key(serial), *bytes});
  if (record) return std::move(record).value();
  watcher_.found("records", "", record.error().message);
  return std::nullopt;
}

std::optional<store::EntryRecord> StoreWatcher::entry(const std::string& name) {
  const std::string* bytes = world_.store.find(store::entry_key(name));
  if (bytes == nullptr) return std::nullopt;
  Result<store::EntryRecord> record = store::decode_entry({store::entry_key(name), *bytes});
  if (record) return std::move(record).value();
  watcher_.found("records", name, record.error().message);
  return std::nullopt;
}

}  // namespace azora::orchestrator
