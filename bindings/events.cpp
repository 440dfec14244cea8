// Events and their readers.
#include "events.hpp"

#include <pybind11/stl.h>

#include <array>

namespace azora::bindings {
namespace {

// Event names are few and compared often: one string object each, for ever.
py::object type_name(EventType type) {
  static std::array<PyObject*, kEventTypeCount> names{};
  PyObject*& name = names[static_cast<std::size_t>(type)];
  if (name == nullptr) {
    name = PyUnicode_InternFromString(std::string(wire_name(type)).c_str());
    if (name == nullptr) throw py::error_already_set();
  }
  return py::reinterpret_borrow<py::object>(name);
}

std::vector<EventHandle> drain(const CursorHandle& self, std::size_t max) {
  std::vector<EventHandle> out;
  const std::vector<events::EventPtr> events = self.get().drain(max);
  out.reserve(events.size());
  for (const events::EventPtr& event : events) out.push_back({event});
  return out;
}

}  // namespace

CursorHandle::~CursorHandle() {
  // The log's lock may be held by a thread that does not exist in a forked child.
  if (birth_.forked()) new std::shared_ptr<events::Cursor>(std::move(cursor_));
}

events::Filter make_filter(const std::optional<std::vector<std::string>>& types,
                           const std::optional<std::string>& service) {
  events::Filter filter;
  if (types) {
    filter.types = 0;
    for (const std::string& name : *types) {
      const std::optional<EventType> type = event_type_from_wire(name);
      if (!type) {
        throw Failure(Error{ErrorCode::invalid_argument,
                            "type: \"" + name + "\" is no event; use one such as \"serviceFailed\"",
                            {}});
      }
      filter.types |= std::uint32_t{1} << static_cast<unsigned>(*type);
    }
  }
  if (service) filter.service = *service;
  return filter;
}

void bind_events(py::module_& module) {
  using Self = const EventHandle&;
  py::class_<EventHandle>(module, "Event")
      .def_property_readonly("seq", [](Self self) { return self.event->seq; })
      .def_property_readonly("time_ms", [](Self self) { return self.event->time.ms; })
      .def_property_readonly("type", [](Self self) { return type_name(self.event->type); })
      .def_property_readonly("service_id",
                             [](Self self) -> py::object {
                               if (!self.event->service_id) return py::none();
                               return py::str(*self.event->service_id);
                             })
      .def_property_readonly("incarnation", [](Self self) { return self.event->incarnation; })
      .def_property_readonly("cause", [](Self self) { return std::string(self.event->cause); })
      .def_property_readonly("json", [](Self self) { return as_bytes(event_json(*self.event)); });

  py::class_<CursorHandle>(
      module, "Cursor",
      "Events of one reader. drain() and wait() may be called from any thread, one at a time.")
      .def("fileno", [](const CursorHandle& self) { return self.get().fd(); })
      .def("drain", &drain, py::arg("max") = 256, Unlocked())
      .def("wait",
           [](const CursorHandle& self, std::int64_t timeout_ms) {
             return self.get().wait(Millis{timeout_ms});
           },
           py::arg("timeout_ms"), Unlocked())
      .def("close", [](const CursorHandle& self) { self.get().close(); });

  module.def("event_types", [] {
    std::vector<std::string> names;
    for (int i = 0; i < kEventTypeCount; ++i) {
      names.emplace_back(wire_name(static_cast<EventType>(i)));
    }
    return names;
  });
}

}  // namespace azora::bindings
