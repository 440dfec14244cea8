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

// Equal if the content is equal: a pick may come from a pickle or from a server.
PyObject* compare(PyObject* self, PyObject* other, int operation) {
  if (!PyObject_TypeCheck(other, pick_type) || (operation != Py_EQ && operation != Py_NE)) Py_RETURN_NOTIMPLEMENTED;
  auto* mine = reinterpret_cast<PickObject*>(self);
  auto* theirs = reinterpret_cast<PickObject*>(other);
  int same = PyObject_RichCompareBool(mine->service_id, theirs->service_id, Py_EQ);
  if (same == 1) same = PyObject_RichCompareBool(mine->endpoint, theirs->endpoint, Py_EQ);
  if (same < 0) return nullptr;
  return PyBool_FromLong((same == 1) == (operation == Py_EQ));
}

Py_hash_t hash(PyObject* self) {
  auto* pick = reinterpret_cast<PickObject*>(self);
  PyObject* content = PyTuple_Pack(2, pick->service_id, pick->endpoint);
  if (content == nullptr) return -1;
  const Py_hash_t made = PyObject_Hash(content);
  Py_DECREF(content);
  return made;
}

// By the public name of the package, so that a pickle can be read by another version.
PyObject* reduce(PyObject* self, PyObject*) {
  PyObject* module = PyImport_ImportModule("azora_orchestrator.models");
  PyObject* maker = module == nullptr ? nullptr : PyObject_GetAttrString(module, "_pick");
  Py_XDECREF(module);
  if (maker == nullptr) return nullptr;
  auto* pick = reinterpret_cast<PickObject*>(self);
  return Py_BuildValue("N(OO)", maker, pick->service_id, pick->endpoint);
}

PyObject* to_dict(PyObject* self, PyObject*) {
  auto* pick = reinterpret_cast<PickObject*>(self);
  return Py_BuildValue("{s:O,s:O}", "serviceId", pick->service_id, "endpoint", pick->endpoint);
}

PyMethodDef methods[] = {
    {"__reduce__", &reduce, METH_NOARGS, nullptr},
    {"to_dict", &to_dict, METH_NOARGS,
     "to_dict($self, /)\n--\n\nReturn the instance as the REST API spells it: `serviceId` and `endpoint`."},
    {nullptr, nullptr, 0, nullptr}};

// Members in slots are read without a function call.
PyMemberDef members[] = {
    {"service_id", T_OBJECT_EX, offsetof(PickObject, service_id), READONLY,
     "Id of the chosen service."},
    {"endpoint", T_OBJECT_EX, offsetof(PickObject, endpoint), READONLY, "URL of the chosen service."},
    {nullptr, 0, 0, 0, nullptr}};

PyType_Slot slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(&dealloc)},
    {Py_tp_repr, reinterpret_cast<void*>(&repr)},
    {Py_tp_members, static_cast<void*>(members)},
    {Py_tp_methods, static_cast<void*>(methods)},
    {Py_tp_richcompare, reinterpret_cast<void*>(&compare)},
    {Py_tp_hash, reinterpret_cast<void*>(&hash)},
    {Py_tp_doc, const_cast<char*>("One instance, as chosen by `pick()`.\n\n"
                                  "Immutable; equal if the content is equal; can be pickled.")},
    {0, nullptr}};

PyType_Spec spec = {"azora_orchestrator.models.Pick", sizeof(PickObject), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION |
                        Py_TPFLAGS_IMMUTABLETYPE,
                    slots};

PyObject* to_text(const std::string& text) {
  return PyUnicode_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size()));
}

PyObject* make_pick(const std::string& service_id, const std::string& endpoint) {
  auto* pick = PyObject_New(PickObject, pick_type);
  if (pick == nullptr) return nullptr;
  pick->service_id = to_text(service_id);
  pick->endpoint = to_text(endpoint);
  if (pick->service_id == nullptr || pick->endpoint == nullptr) {
    Py_DECREF(pick);
    return nullptr;
  }
  return reinterpret_cast<PyObject*>(pick);
}

}  // namespace

PyObject* new_pick(const balancer::Instance& instance) { return make_pick(instance.id(), instance.endpoint()); }

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
  module.def(
      "new_pick",
      [](const std::string& service_id, const std::string& endpoint) {
        PyObject* made = make_pick(service_id, endpoint);
        if (made == nullptr) throw pybind11::error_already_set();
        return pybind11::reinterpret_steal<pybind11::object>(made);
      },
      pybind11::arg("service_id"), pybind11::arg("endpoint"));
}

}  // namespace azora::bindings
