#pragma once
// The Python object `_core.Event`: one event, immutable. A plain C type: thousands of them are made in a burst, and one
// of pybind11's costs as much as all the rest of a delivery.
// The properties that are seldom read are written in Python and added to the type by events.py; a class derived from it
// would make every event an object of the garbage collector.
// Threads: under the GIL. Ownership: each holds its event. Fails: like Python, null with an error set.
#include "azora/events/log.hpp"
#include "bindings.hpp"

namespace azora::bindings {

// Registers the type in the module.
void bind_event_object(py::module_& module);
// New references: one, and a list of them.
PyObject* new_event(events::EventPtr event);
// Makes the object another event; only its caller may have a reference.
void set_event(PyObject* object, events::EventPtr event);
PyObject* new_events(std::vector<events::EventPtr> events);

}  // namespace azora::bindings
