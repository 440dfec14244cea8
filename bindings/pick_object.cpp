// bindings.hpp must come first, because it includes Python's structs.
#include "bindings.hpp"
// clang-format keeps this apart.
#include <structmember.h>

#include <cstddef>

#include "pick_object.hpp"

namespace azora::bindings {
namespace {

struct PickObject {
  PyObject_HEAD
  PyObject* service_id;
  PyObject* endpoint;
};

PyTypeObject* pick_type = nullptr;  // lives as long as the process

void dealloc(PyObject* self) {
  auto* pick = reinterpret_cast<PickObject*>(self);
  Py_XDECREF(pick->service_id);
  Py_XDECREF(pick->endpoint);
  PyTypeObject* type = Py_TYPE(self);
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* repr(PyObject* self) {
  auto* pick = reinterpret_cast<PickObject*>(self);
  return PyUnicode_FromFormat("<Pick %U %U>", pick->service_id, pick->endpoint);
}

// Members in slots are read without a function call.
PyMemberDef members[] = {
    {"service_id", T_OBJECT_EX, offsetof(PickObject, service_id), READONLY,
     "The id of the chosen service."},
    {"endpoint", T_OBJECT_EX, offsetof(PickObject, endpoint), READONLY, "Its URL."},
    {nullptr, 0, 0, 0, nullptr}};

PyType_Slot slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(&dealloc)},
    {Py_tp_repr, reinterpret_cast<void*>(&repr)},
    {Py_tp_members, static_cast<void*>(members)},
    {Py_tp_doc, const_cast<char*>("One instance, as chosen by pick(). Immutable.")},
    {0, nullptr}};

PyType_Spec spec = {"azora_orchestrator._core.Pick", sizeof(PickObject), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION |
                        Py_TPFLAGS_IMMUTABLETYPE,
                    slots};

PyObject* to_text(const std::string& text) {
  return PyUnicode_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size()));
}

}  // namespace

PyObject* new_pick(const balancer::Instance& instance) {
  auto* pick = PyObject_New(PickObject, pick_type);
  if (pick == nullptr) return nullptr;
  pick->service_id = to_text(instance.id());
  pick->endpoint = to_text(instance.endpoint());
  if (pick->service_id == nullptr || pick->endpoint == nullptr) {
    Py_DECREF(pick);
    return nullptr;
  }
  return reinterpret_cast<PyObject*>(pick);
}

PyObject* PickCache::make(const balancer::Instance& instance) {
  PyObject* pick = new_pick(instance);
  if (pick == nullptr) return nullptr;
  const std::size_t slot = instance.slot();
  if (slot >= entries_.size()) entries_.resize(slot + slot / 2 + 8);
  Entry& entry = entries_[slot];
  PyObject* old = entry.pick;
  entry = {instance.stamp(), Py_NewRef(pick)};
  Py_XDECREF(old);
  return pick;
}

PickCache::~PickCache() {
  for (const Entry& entry : entries_) Py_XDECREF(entry.pick);
}

void bind_pick_object(pybind11::module_& module) {
  PyObject* type = PyType_FromSpec(&spec);
  if (type == nullptr) throw pybind11::error_already_set();
  pick_type = reinterpret_cast<PyTypeObject*>(type);
  module.attr("Pick") = pybind11::reinterpret_borrow<pybind11::object>(type);
}

}  // namespace azora::bindings
