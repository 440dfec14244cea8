#pragma once
// The Python object `_core.Event`: one event, immutable. It is a plain C type, because thousands of them are made in a
// burst, and a pybind11 object costs as much as all the rest of a delivery.
// events.py adds the rarely read properties, written in Python, to this type. With a derived class instead, every event
// would be an object of the garbage collector.
// Threads: under the GIL. Ownership: each holds its event. Fails: like Python, null with an error set.
#include "azora/events/log.hpp"
#include "bindings.hpp"

namespace azora::bindings {

// Registers the type in the module.
void bind_event_object(py::module_& module);
// Return new references: to one event, and to a list of them.
PyObject* new_event(events::EventPtr event);
// Replaces the event in this object; only the caller may hold a reference to it.
void set_event(PyObject* object, events::EventPtr event);
PyObject* new_events(std::vector<events::EventPtr> events);

}  // namespace azora::bindings
