#pragma once
// The Python object `_core.Event`: one event, immutable. A plain C type: thousands of them are made in a burst, and one
// of pybind11's costs as much as all the rest of a delivery.
// Threads: under the GIL. Ownership: each holds its event. Fails: like Python, null with an error set.
#include "azora/events/log.hpp"
#include "bindings.hpp"

namespace azora::bindings {

// Registers the type in the module.
void bind_event_object(py::module_& module);
// The type of a reader's events, borrowed: `kind`, or `_core.Event` when that is None. Throws a Python error: `kind` is
// not derived from it.
PyTypeObject* event_type(const py::object& kind);
// A new reference to a list of them.
PyObject* new_events(std::vector<events::EventPtr> events, PyTypeObject* type);

}  // namespace azora::bindings
