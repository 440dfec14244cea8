// Events and their readers.
#include "events.hpp"

#include <pybind11/stl.h>

#include "event_object.hpp"

namespace azora::bindings {
namespace {

py::object drain(const CursorHandle& self, std::size_t max, const py::object& kind) {
  PyTypeObject* type = event_type(kind);  // before anything is taken
  std::vector<events::EventPtr> events = [&] {
    const Unlock unlocked;
    return self.get().drain(max);
  }();
  PyObject* list = new_events(std::move(events), type);
  if (list == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(list);
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
  bind_event_object(module);
  py::class_<CursorHandle>(
      module, "Cursor",
      "Events of one reader. drain() and wait() may be called from any thread, one at a time.")
      .def("fileno", [](const CursorHandle& self) { return self.get().fd(); })
      .def("drain", &drain, py::arg("max") = 256, py::arg("kind") = py::none())
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
