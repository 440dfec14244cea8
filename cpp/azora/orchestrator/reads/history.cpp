#include "azora/orchestrator/reads/history.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace azora::orchestrator {
namespace {

constexpr std::size_t kBatch = 256;

std::uint32_t bit(EventType type) { return std::uint32_t{1} << static_cast<unsigned>(type); }

bool in_time(const store::HistoryQuery& query, WallTime time) {
  return (!query.since || time.ms >= query.since->ms) && (!query.until || time.ms < query.until->ms);
}

// Adds what the log holds of these types behind `after`, at most `limit` events. True: there may be more.
bool add_from_log(events::EventLog& log, const store::HistoryQuery& query, std::uint64_t after, std::uint32_t types,
                  std::size_t limit, std::vector<store::PastEvent>& out) {
  types &= ~bit(EventType::gap);
  if (types == 0 || after >= log.visible()) return false;
  events::Filter filter;
  filter.types = types;
  filter.service = query.service;
  const std::shared_ptr<events::Cursor> cursor = log.cursor(after, std::move(filter));
  std::size_t added = 0;
  for (std::vector<events::EventPtr> batch = cursor->drain(kBatch); !batch.empty(); batch = cursor->drain(kBatch)) {
    for (const events::EventPtr& event : batch) {
      if (event->type == EventType::gap) continue;  // older than what the log keeps
      if (event->seq >= query.before) return false;
      if (!in_time(query, event->time)) continue;
      if (added == limit) return true;
      out.push_back({event->seq, event_json(*event)});
      ++added;
    }
  }
  return false;
}

Result<store::HistoryPage> stored_page(store::History* stored, const store::HistoryQuery& query, std::uint64_t through) {
  if (stored == nullptr || through <= query.after) return store::HistoryPage{};
  store::HistoryQuery part = query;
  part.before = std::min(query.before, through + 1);
  return stored->page(part);
}

}  // namespace

Result<store::HistoryPage> read_history(store::History* stored, events::EventLog& log, const store::HistoryQuery& query) {
  // Read before the stored part: what is stored meanwhile is in the log, too.
  const std::uint64_t through = stored == nullptr ? 0 : stored->through();
  Result<store::HistoryPage> found = stored_page(stored, query, through);
  if (!found) return found;
  store::HistoryPage page = std::move(found).value();
  if (!page.more) {
    page.through = query.before - 1;
    page.more = add_from_log(log, query, std::max(query.after, through), query.types & ~bit(EventType::health_check),
                             query.limit - page.events.size(), page.events);
    if (page.more) page.through = page.events.empty() ? std::max(query.after, through) : page.events.back().seq;
  }
  if ((query.types & bit(EventType::health_check)) != 0) {
    store::HistoryQuery checks = query;
    checks.before = page.through + 1;
    const auto states = static_cast<std::ptrdiff_t>(page.events.size());
    const bool more = add_from_log(log, checks, query.after, bit(EventType::health_check), query.limit, page.events);
    std::inplace_merge(page.events.begin(), page.events.begin() + states, page.events.end(),
                       [](const store::PastEvent& a, const store::PastEvent& b) { return a.seq < b.seq; });
    if (more || page.events.size() > query.limit) {
      // A check that was left out is newer than all that were added.
      page.events.resize(std::min(page.events.size(), query.limit));
      page.more = true;
      page.through = page.events.back().seq;
    }
  }
  return page;
}

}  // namespace azora::orchestrator
