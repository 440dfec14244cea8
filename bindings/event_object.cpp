#include "event_object.hpp"

#include <array>
#include <new>
#include <utility>

namespace azora::bindings {
namespace {

struct EventObject {
  PyObject_HEAD
  events::EventPtr event;
  PyObject* data;  // the event as a dict in the wire's form; made on first use
};

PyTypeObject* event_class = nullptr;  // lives as long as the process

EventObject* of(PyObject* self) { return reinterpret_cast<EventObject*>(self); }
const Event& event_of(PyObject* self) { return *of(self)->event; }

PyObject* string(std::string_view value) {
  return PyUnicode_FromStringAndSize(value.data(), static_cast<Py_ssize_t>(value.size()));
}

void dealloc(PyObject* self) {
  of(self)->event.~shared_ptr();
  Py_XDECREF(of(self)->data);
  PyTypeObject* type = Py_TYPE(self);
  type->tp_free(self);
  Py_DECREF(type);
}

// There are few event names and they are compared often, so each has one string object for ever.
PyObject* type_name(PyObject* self, void*) {
  static std::array<PyObject*, kEventTypeCount> names{};
  PyObject*& name = names[static_cast<std::size_t>(event_of(self).type)];
  if (name == nullptr) {
    name = PyUnicode_InternFromString(std::string(wire_name(event_of(self).type)).c_str());
    if (name == nullptr) return nullptr;
  }
  return Py_NewRef(name);
}

PyObject* seq(PyObject* self, void*) { return PyLong_FromUnsignedLongLong(event_of(self).seq); }
PyObject* time_ms(PyObject* self, void*) { return PyLong_FromLongLong(event_of(self).time.ms); }
PyObject* incarnation(PyObject* self, void*) { return PyLong_FromUnsignedLongLong(event_of(self).incarnation); }

PyObject* service_id(PyObject* self, void*) {
  const auto& id = event_of(self).service_id;
  return id ? string(*id) : Py_NewRef(Py_None);
}

PyObject* cause(PyObject* self, void*) {
  const std::string_view cause = event_of(self).cause;
  return cause.empty() ? Py_NewRef(Py_None) : string(cause);
}

PyObject* json(PyObject* self, void*) {
  try {
    const std::string made = event_json(event_of(self));
    return PyBytes_FromStringAndSize(made.data(), static_cast<Py_ssize_t>(made.size()));
  } catch (const std::bad_alloc&) {
    return PyErr_NoMemory();
  }
}

PyObject* data(PyObject* self, void*) {
  if (of(self)->data == nullptr) {
    PyObject* bytes = json(self, nullptr);
    if (bytes == nullptr) return nullptr;
    PyObject* module = PyImport_ImportModule("json");
    PyObject* made = module == nullptr ? nullptr : PyObject_CallMethod(module, "loads", "O", bytes);
    Py_XDECREF(module);
    Py_DECREF(bytes);
    if (made == nullptr) return nullptr;
    if (of(self)->data == nullptr) {
      of(self)->data = made;
    } else {
      Py_DECREF(made);  // another thread was first
    }
  }
  return Py_NewRef(of(self)->data);
}

PyGetSetDef getters[] = {
    {"seq", &seq, nullptr, "Position in the sequence.", nullptr},
    {"time_ms", &time_ms, nullptr, "When it happened: milliseconds since 1970, UTC.", nullptr},
    {"type", &type_name, nullptr, "Name of the event, such as `serviceRestarted`.", nullptr},
    {"service_id", &service_id, nullptr, "Id of the service; None for an event of the whole fleet.", nullptr},
    {"incarnation", &incarnation, nullptr, "Number of the service's process.", nullptr},
    {"cause", &cause, nullptr, "Why it happened, as one word.", nullptr},
    {"json", &json, nullptr, "The whole event as compact JSON.", nullptr},
    {"_data", &data, nullptr, "The whole event with the names of the wire; the same dict each time.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(&dealloc)},
                       {Py_tp_getset, static_cast<void*>(getters)},
                       {Py_tp_doc, const_cast<char*>("One event. Immutable.")},
                       {0, nullptr}};

PyType_Spec spec = {"azora_orchestrator.events.Event", sizeof(EventObject), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};

}  // namespace

PyObject* new_event(events::EventPtr event) {
  PyObject* object = event_class->tp_alloc(event_class, 0);
  if (object == nullptr) return nullptr;
  new (&of(object)->event) events::EventPtr(std::move(event));
  of(object)->data = nullptr;
  return object;
}

void set_event(PyObject* object, events::EventPtr event) {
  of(object)->event = std::move(event);
  Py_CLEAR(of(object)->data);
}

PyObject* new_events(std::vector<events::EventPtr> events) {
  PyObject* list = PyList_New(static_cast<Py_ssize_t>(events.size()));
  if (list == nullptr) return nullptr;
  for (std::size_t i = 0; i < events.size(); ++i) {
    PyObject* object = new_event(std::move(events[i]));
    if (object == nullptr) {
      Py_DECREF(list);
      return nullptr;
    }
    PyList_SET_ITEM(list, static_cast<Py_ssize_t>(i), object);
  }
  return list;
}

void bind_event_object(py::module_& module) {
  PyObject* type = PyType_FromSpec(&spec);
  if (type == nullptr) throw py::error_already_set();
  event_class = reinterpret_cast<PyTypeObject*>(type);
  module.attr("Event") = py::reinterpret_borrow<py::object>(type);
}

}  // namespace azora::bindings
