// Pages of past events of `_core.Core`. They are read on the caller's thread, without the GIL.
#include <pybind11/stl.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "azora/store/history_query.hpp"
#include "event_object.hpp"
#include "events.hpp"
#include "handle.hpp"

namespace azora::bindings {
namespace {

using Types = std::optional<std::vector<std::string>>;
using Holes = std::vector<std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>>;

std::uint32_t bit(EventType type) { return std::uint32_t{1} << static_cast<unsigned>(type); }

store::HistoryQuery query_of(std::uint64_t after, std::uint64_t before, std::optional<std::int64_t> since_ms,
                             std::optional<std::int64_t> until_ms, const Types& types, const std::optional<std::string>& service,
                             std::size_t limit) {
  store::HistoryQuery query;
  query.after = after;
  query.before = std::min(before, store::HistoryQuery::kNoEnd);
  if (since_ms) query.since = WallTime{*since_ms};
  if (until_ms) query.until = WallTime{*until_ms};
  query.types = make_filter(types, {}).types & ~bit(EventType::gap);
  if (!types) query.types &= ~bit(EventType::health_check);
  if (service) query.service = *service;
  query.limit = std::max<std::size_t>(limit, 1);
  return query;
}

store::HistoryPage page_of(const CoreHandle& self, const store::HistoryQuery& query) {
  const Unlock unlocked;
  return value_or_throw(self.live().history(query));
}

Holes holes_of(const store::HistoryPage& page) {
  Holes holes;
  for (const store::Hole& hole : page.holes) holes.emplace_back(hole.first, hole.last, hole.count);
  return holes;
}

// The events as one JSON list.
std::string list_of(const store::HistoryPage& page) {
  std::string list = "[";
  for (const store::PastEvent& event : page.events) list.append(list.size() == 1 ? "" : ",").append(event.json);
  return list + "]";
}

std::vector<events::EventPtr> objects_of(const store::HistoryPage& page) {
  std::vector<events::EventPtr> events;
  events.reserve(page.events.size());
  for (const store::PastEvent& event : page.events) {
    events.push_back(std::make_shared<const Event>(value_or_throw(event_from_json(event.json))));
  }
  return events;
}

}  // namespace

void bind_history(CoreClass& core) {
  core.def("history_json",
           [](const CoreHandle& self, std::uint64_t after, std::uint64_t before, std::optional<std::int64_t> since_ms,
              std::optional<std::int64_t> until_ms, const Types& types, const std::optional<std::string>& service,
              std::size_t limit) {
             const store::HistoryPage page = page_of(self, query_of(after, before, since_ms, until_ms, types, service, limit));
             return py::make_tuple(as_bytes(list_of(page)), page.events.size(), page.through, page.more, holes_of(page));
           },
           py::arg("after"), py::arg("before"), py::arg("since_ms"), py::arg("until_ms"), py::arg("types"),
           py::arg("service"), py::arg("limit"));
  core.def("history",
           [](const CoreHandle& self, std::uint64_t after, std::uint64_t before, std::optional<std::int64_t> since_ms,
              std::optional<std::int64_t> until_ms, const Types& types, const std::optional<std::string>& service,
              std::size_t limit) {
             const store::HistoryPage page = page_of(self, query_of(after, before, since_ms, until_ms, types, service, limit));
             std::vector<events::EventPtr> events = [&] {
               const Unlock unlocked;
               return objects_of(page);
             }();
             PyObject* list = new_events(std::move(events));
             if (list == nullptr) throw py::error_already_set();
             return py::make_tuple(py::reinterpret_steal<py::object>(list), page.through, page.more, holes_of(page));
           },
           py::arg("after"), py::arg("before"), py::arg("since_ms"), py::arg("until_ms"), py::arg("types"),
           py::arg("service"), py::arg("limit"));
}

}  // namespace azora::bindings
