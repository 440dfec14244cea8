#include "azora/orchestrator/opened_state.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

#include "azora/base/asio_loop.hpp"
#include "azora/base/hash.hpp"
#include "azora/store/memory_store.hpp"

namespace azora::orchestrator {

namespace {

constexpr std::size_t kResumed = 4'096;  // events that readers from before a restart find in the log

}  // namespace

OpenedState::OpenedState(const Options& options, Loop& control, const ThreadDied& died) {
  if (options.make_store) {
    store_ = options.make_store(control);
    return;
  }
  if (!options.state_dir.empty()) {
    std::error_code ignored;
    folder_ = std::filesystem::absolute(options.state_dir, ignored).lexically_normal().string();
    durable_ = true;
    if (Result<void> opened = open(options, control, died); !opened) error_ = std::move(opened).error();
  }
  if (!store_ || error_) store_ = std::make_unique<store::MemoryStore>(store::MemoryStore::Keep::nothing);
}

Result<void> OpenedState::open(const Options& options, Loop& control, const ThreadDied& died) {
  auto store = store::SqliteStore::open(folder_, control, {.died = died});
  if (!store) return std::move(store).error();
  Result<std::vector<store::Row>> rows = store.value()->load();
  if (!rows) return std::move(rows).error();
  Result<store::State> state = store::decode_state(rows.value());
  if (!state) return std::move(state).error();
  Result<StoredFleet> fleet = read_stored(std::move(state).value());
  if (!fleet) return std::move(fleet).error();
  fleet_ = std::move(fleet).value();
  sqlite_ = store.value().get();
  sqlite_->keep_history({.limits = {.max_age = options.history_max_age, .max_bytes = options.history_max_bytes},
                         .now = [] { return Now{AsioLoop::steady_now(), AsioLoop::wall_now()}; },
                         .begins_after = fleet_.heads.event_seq});
  store_ = std::move(store).value();
  return {};
}

// The history may know more when the records are older than it, such as after a repair.
std::uint64_t OpenedState::first_event() const {
  const std::uint64_t stored = sqlite_ == nullptr ? 0 : sqlite_->history()->former().head;
  return std::max(fleet_.heads.event_seq, stored) + 1;
}

std::function<void(const std::vector<store::StoredEvent>& events, std::uint64_t head)> OpenedState::keep() {
  if (sqlite_ == nullptr) return nullptr;
  return [store = sqlite_](const auto& events, std::uint64_t head) { store->add_events(events, head); };
}

events::Former OpenedState::former_log() const {
  if (sqlite_ == nullptr) return {};
  store::History& history = *sqlite_->history();
  const store::HistoryMark& mark = history.former();
  events::Former former{.events = {}, .lost_through = mark.dropped, .head = std::max(mark.head, mark.dropped), .clean = mark.clean};
  const std::vector<store::PastEvent> newest = history.newest(kResumed);
  if (newest.size() == kResumed) former.lost_through = std::max(former.lost_through, newest.front().seq - 1);
  for (const store::PastEvent& past : newest) {
    Result<Event> event = event_from_json(past.json);
    if (!event) {
      former.events.clear();
      former.lost_through = past.seq;
      continue;
    }
    former.events.push_back(std::make_shared<const Event>(std::move(event).value()));
  }
  return former;
}

HistoryCounts OpenedState::history_counts() const {
  if (sqlite_ == nullptr) return {};
  const store::History& history = *sqlite_->history();
  const store::History::Counts counts = history.counts();
  return {.stored = counts.stored, .dropped = counts.dropped, .commits = counts.commits, .failing = !history.trouble().empty()};
}

void OpenedState::close() {
  if (sqlite_ != nullptr) sqlite_->close();
}

std::string OpenedState::fleet_token() const {
  std::error_code ignored;
  const std::filesystem::path real = std::filesystem::weakly_canonical(folder_, ignored);
  return "state-" + std::to_string(hash_bytes(real.string()));
}

std::string read_boot_id() {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
  return id;
}

}  // namespace azora::orchestrator
