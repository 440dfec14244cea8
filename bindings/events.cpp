// Events and their readers.
#include "events.hpp"

#include <pybind11/stl.h>

#include <utility>

#include "event_object.hpp"

namespace azora::bindings {
namespace {

std::vector<events::EventPtr> take(events::Cursor& cursor, std::size_t max) {
  const Unlock unlocked;
  return cursor.drain(max);
}

py::object drain(const CursorHandle& self, std::size_t max) {
  PyObject* list = new_events(take(self.get(), max));
  if (list == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(list);
}

bool may_be_awaited(PyObject* result) {
  const PyAsyncMethods* methods = Py_TYPE(result)->tp_as_async;
  return (methods != nullptr && methods->am_await != nullptr) || PyGen_CheckExact(result);
}

// The exception of a call that failed, with its traceback.
py::object take_exception() {
  const py::error_already_set raised;
  if (raised.trace()) PyException_SetTraceback(raised.value().ptr(), raised.trace().ptr());
  return raised.value();
}

// False for an awaitable result or an exception: these go to Python, which knows what to do with them.
bool is_done(PyObject* result) { return result == Py_None || (result != nullptr && !may_be_awaited(result)); }

// The Python object for one event after the other. If the handler did not keep the object, it is used again, because
// making and freeing an object costs as much as all the rest of a delivery.
class Delivered {
 public:
  Delivered() = default;
  Delivered(const Delivered&) = delete;
  Delivered& operator=(const Delivered&) = delete;
  ~Delivered() { Py_XDECREF(object_); }

  // A borrowed reference to the object of this event.
  PyObject* of(events::EventPtr event) {
    if (object_ != nullptr && Py_REFCNT(object_) == 1) {
      set_event(object_, std::move(event));
      return object_;
    }
    PyObject* made = new_event(std::move(event));
    if (made == nullptr) throw py::error_already_set();
    Py_XDECREF(std::exchange(object_, made));
    return object_;
  }
  py::object release() { return py::reinterpret_steal<py::object>(std::exchange(object_, nullptr)); }

 private:
  PyObject* object_ = nullptr;
};

py::object deliver(CursorHandle& self, const py::object& handler, std::size_t max) {
  events::Cursor& cursor = self.get();
  CursorHandle::Taken& taken = self.taken;
  if (taken.next == taken.events.size()) {
    taken.events = take(cursor, max);
    taken.next = 0;
    if (taken.events.empty()) return py::bool_(false);
  }
  Delivered delivered;
  while (taken.next < taken.events.size()) {
    if (cursor.closed()) {  // closed meanwhile: the rest is not handed over
      taken = {};
      return py::bool_(false);
    }
    PyObject* event = delivered.of(std::move(taken.events[taken.next++]));
    // The handler may release the GIL and ask for it again from an interpreter that has ended. Plain Python pointers
    // are used here, because pybind11's check the thread at every change of a reference count.
    PyObject* result = or_rest([&] { return PyObject_CallOneArg(handler.ptr(), event); });
    if (is_done(result)) [[likely]] {
      Py_DECREF(result);
      continue;
    }
    if (result == nullptr) return py::make_tuple(delivered.release(), py::none(), take_exception());
    return py::make_tuple(delivered.release(), py::reinterpret_steal<py::object>(result), py::none());
  }
  return py::bool_(true);
}

}  // namespace

CursorHandle::~CursorHandle() {
  // In a forked child, a thread that does not exist there may hold the log's lock.
  if (process_.forked()) new std::shared_ptr<events::Cursor>(std::move(cursor_));
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
                            "type: is \"" + name + "\"; it must be the name of an event, such as \"serviceFailed\"",
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
      "Events of one reader. drain(), deliver() and wait() may be called from any thread, one at a time.")
      .def("fileno", [](const CursorHandle& self) { return self.get().fd(); })
      .def("drain", &drain, py::arg("max") = 256)
      .def("deliver", &deliver, py::arg("handler"), py::arg("max") = 256,
           "Calls the handler with each event of a batch. Returns False when there is none or the cursor is closed, and a\n"
           "tuple (event, result, exception) when a call failed or returned an awaitable; call again for the rest.")
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
