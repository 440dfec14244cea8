#include "picker.hpp"

#include <array>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include "azora/balancer/balancer.hpp"
#include "pick_object.hpp"

namespace azora::bindings {
namespace {

using balancer::Instance;
using balancer::PoolHandle;
using balancer::Strategy;

struct PickerState {
  // A pool's name as Python wrote it, looked up once. The GIL makes sure that one thread at a time uses the handle.
  struct Name {
    py::object text;
    std::optional<PoolHandle> pool;
  };
  static constexpr std::size_t kNames = 64;

  CoreHandle* core = nullptr;  // null: it was closed
  balancer::Balancer* balancer = nullptr;
  PickCache cache;
  std::array<Name, kNames> names;
  Name* last = nullptr;  // most callers ask for one pool again and again
};

struct PickerObject {
  PyObject_HEAD
  PickerState* state;
};

PyTypeObject* picker_type = nullptr;  // lives as long as the process

PickerState& state_of(PyObject* self) { return *reinterpret_cast<PickerObject*>(self)->state; }

// Throws error_already_set if it is not a str or has no UTF-8 form. The result lives as long as `text`.
std::string_view utf8(PyObject* text, const char* name) {
  if (!PyUnicode_Check(text)) {
    PyErr_Format(PyExc_TypeError, "pick(): %s must be str, not %.100s", name, Py_TYPE(text)->tp_name);
    throw py::error_already_set();
  }
  Py_ssize_t size = 0;
  const char* data = PyUnicode_AsUTF8AndSize(text, &size);
  if (data == nullptr) throw py::error_already_set();
  return {data, static_cast<std::size_t>(size)};
}

PoolHandle& other_pool(PickerState& state, PyObject* text) {
  const Py_hash_t hash = PyUnicode_Check(text) ? PyObject_Hash(text) : 0;
  if (hash == -1) throw py::error_already_set();  // of a subclass of str
  PickerState::Name& name = state.names[static_cast<std::size_t>(hash) % PickerState::kNames];
  state.last = &name;
  if (name.text.ptr() == text) return *name.pool;
  const std::string_view wanted = utf8(text, "pool");
  if (!name.pool || name.pool->name() != wanted) name.pool.emplace(wanted);
  name.text = py::reinterpret_borrow<py::object>(text);
  return *name.pool;
}

PoolHandle& pool_of(PickerState& state, PyObject* text) {
  if (state.last != nullptr && state.last->text.ptr() == text) [[likely]] return *state.last->pool;
  return other_pool(state, text);
}

struct Arguments {
  PyObject* pool = nullptr;
  PyObject* key = nullptr;
  PyObject* strategy = nullptr;
};

[[noreturn]] void type_error(const char* format, PyObject* detail) {
  PyErr_Format(PyExc_TypeError, format, detail);
  throw py::error_already_set();
}

Arguments read_arguments(PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  constexpr std::array<const char*, 3> kNames = {"pool", "key", "strategy"};
  std::array<PyObject*, 3> given{};
  if (count > static_cast<Py_ssize_t>(given.size())) {
    PyErr_Format(PyExc_TypeError, "pick() takes at most 3 arguments (%zd given)", count);
    throw py::error_already_set();
  }
  for (Py_ssize_t i = 0; i < count; ++i) given[static_cast<std::size_t>(i)] = args[i];
  const Py_ssize_t named = keywords == nullptr ? 0 : PyTuple_GET_SIZE(keywords);
  for (Py_ssize_t i = 0; i < named; ++i) {
    PyObject* keyword = PyTuple_GET_ITEM(keywords, i);
    std::size_t place = 0;
    while (place < kNames.size() && PyUnicode_CompareWithASCIIString(keyword, kNames[place]) != 0) ++place;
    if (place == kNames.size()) type_error("pick() got an unexpected keyword argument %R", keyword);
    if (given[place] != nullptr) type_error("pick() got multiple values for argument %R", keyword);
    given[place] = args[count + i];
  }
  if (given[0] == nullptr) type_error("pick() missing 1 required argument: %R", py::str("pool").ptr());
  for (PyObject*& one : given) {
    if (one == Py_None && &one != given.data()) one = nullptr;
  }
  return {given[0], given[1], given[2]};
}

// The slow way: for a pool that changed, and for the error that says why no instance can be picked.
PyObject* pick_slowly(PickerState& state, std::string_view pool, std::optional<Strategy> strategy,
                      std::string_view key) {
  const balancer::Pick pick = value_or_throw(
      state.core->live().balancer().pick(pool, {.strategy = strategy, .key = key}));
  return state.cache.get(*pick.instance);
}

PyObject* pick(PickerState& state, const Arguments& given) {
  if (state.core == nullptr) [[unlikely]] {
    throw Failure(Error{ErrorCode::closed, "the orchestrator is closed", {}});
  }
  if (state.core->forked()) [[unlikely]] (void)state.core->get();  // throws
  PoolHandle& pool = pool_of(state, given.pool);
  std::optional<Strategy> strategy;
  std::string_view key;
  if (given.key != nullptr) key = utf8(given.key, "key");
  if (given.strategy != nullptr) strategy = read_strategy(utf8(given.strategy, "strategy"));
  const Instance* found = state.balancer->pick_fast<balancer::TurnTakers::one_at_a_time>(pool, strategy, key);
  if (found != nullptr) [[likely]] return state.cache.get(*found);
  return pick_slowly(state, pool.name(), strategy, key);
}

PyObject* pick_builtin(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  try {
    if (count == 1 && keywords == nullptr) [[likely]] return pick(state_of(self), {.pool = args[0]});
    return pick(state_of(self), read_arguments(args, count, keywords));
  } catch (const Failure& failure) {
    set_python_error(failure);
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

void dealloc(PyObject* self) {
  delete reinterpret_cast<PickerObject*>(self)->state;
  PyTypeObject* type = Py_TYPE(self);
  type->tp_free(self);
  Py_DECREF(type);
}

PyMethodDef methods[] = {
    // Cast through void(*)(): a function with keywords has another signature than the table's type.
    {"pick", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&pick_builtin)),
     METH_FASTCALL | METH_KEYWORDS,
     "pick($self, pool, key=None, strategy=None)\n--\n\n"
     "Choose an instance of a pool; never waits.\n\n"
     "Args:\n"
     "    pool: Name of a pool: a type, a group or the id of a service.\n"
     "    key: What `ip-hash` hashes: the same key finds the same instance.\n"
     "    strategy: How to choose, for this pick only. Default: the strategy of the pool.\n\n"
     "Returns:\n"
     "    The instance. The pick does not count as load; use `lease()` for that.\n\n"
     "Raises:\n"
     "    NoHealthyInstance: No instance can be picked now, or there is no such pool.\n"
     "    InvalidArgument: The strategy is unknown, or `ip-hash` was given no key.\n"
     "    OrchestratorClosed: The orchestrator is closed.\n\n"
     "Example:\n"
     "    >>> orch.pick(\"core\").endpoint\n"
     "    'http://127.0.0.1:7001'"},
    {nullptr, nullptr, 0, nullptr}};

PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(&dealloc)},
                       {Py_tp_methods, static_cast<void*>(methods)},
                       {0, nullptr}};

PyType_Spec spec = {"azora_orchestrator.Picker", sizeof(PickerObject), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION |
                        Py_TPFLAGS_IMMUTABLETYPE,
                    slots};

}  // namespace

Strategy read_strategy(std::string_view name) {
  if (const std::optional<Strategy> strategy = balancer::strategy_from_wire(name)) return *strategy;
  throw Failure(Error{ErrorCode::invalid_argument,
                      "strategy: is \"" + std::string(name) + "\"; it must be " + balancer::strategy_choices(), {}});
}

void bind_picker(py::module_& module) {
  module.def("strategies", [] {
    py::list names;
    for (std::size_t i = 0; i < balancer::kStrategyCount; ++i) {
      names.append(py::str(std::string(wire_name(static_cast<Strategy>(i)))));
    }
    return names;
  });
  PyObject* type = PyType_FromSpec(&spec);
  if (type == nullptr) throw py::error_already_set();
  picker_type = reinterpret_cast<PyTypeObject*>(type);
}

py::object new_picker(CoreHandle& core) {
  auto state = std::make_unique<PickerState>();
  state->core = &core;
  state->balancer = &core.get().balancer();
  auto* object = PyObject_New(PickerObject, picker_type);
  if (object == nullptr) throw py::error_already_set();
  object->state = state.release();
  return py::reinterpret_steal<py::object>(reinterpret_cast<PyObject*>(object));
}

void detach_picker(const py::object& picker) {
  if (!picker) return;
  PickerState& state = state_of(picker.ptr());
  state.core = nullptr;
  state.balancer = nullptr;
  state.last = nullptr;
  state.names = {};  // names share pools of the balancer, which is destroyed next
}

}  // namespace azora::bindings
