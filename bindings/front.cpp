#include "front.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azora/base/asio_loop.hpp"
#include "azora/model/iso_time.hpp"
#include "pick_answer.hpp"

namespace azora::bindings {
namespace {

using balancer::Pick;

// The very string objects that Python uses for its own constants: keys are found without being compared.
py::str interned(const char* text) {
  PyObject* made = PyUnicode_InternFromString(text);
  if (made == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::str>(made);
}

// Made once and kept for ever.
struct Words {
  py::str type = interned("type"), method = interned("method"), path = interned("path"),
          root_path = interned("root_path"), query_string = interned("query_string"), client = interned("client"),
          headers = interned("headers"), body = interned("body"), target_host = interned("azora.target_host");
  py::tuple json_type = py::make_tuple(py::bytes("content-type"), py::bytes("application/json; charset=utf-8"));
  py::tuple no_store = py::make_tuple(py::bytes("cache-control"), py::bytes("no-store"));
  py::bytes content_length{"content-length"}, azora_seq{"azora-seq"};
  py::dict start, end;  // messages to copy

  Words() {
    start[type] = interned("http.response.start");
    start[interned("status")] = py::int_(200);
    end[type] = interned("http.response.body");
  }
};

const Words& words() {
  static const Words* const made = new Words;
  return *made;
}

struct FrontState {
  std::shared_ptr<CoreHandle> core;
  py::set known_hosts;
  std::vector<std::string> not_plain;  // names of headers; with "*" at the end: all that begin so
  std::array<bool, 256> begins{};      // whether one of them begins with this byte
  std::size_t small_fleet = 0;         // lists of a larger one are made on a thread, so that picks do not wait for them

  // The last pick body of an instance. It is valid while its view and figures are the newest ones.
  struct Body {
    std::uint64_t stamp = 0;
    balancer::Strategy strategy{};
    std::uint32_t figures = 0;
    ViewPtr view;
    py::object bytes;
  };
  static constexpr std::size_t kBodies = 4096;  // in a larger fleet only the first slots are cached
  std::vector<Body> bodies;

  // Header pairs of the usual lengths, and the one of the newest event.
  std::vector<py::object> lengths{2048};
  std::uint64_t seq = UINT64_MAX;
  py::object seq_header;
};

struct FrontObject {
  PyObject_HEAD
  FrontState* state;
};

PyTypeObject* front_type = nullptr;  // lives as long as the process

std::string_view ascii(PyObject* text) {
  if (text == nullptr || !PyUnicode_CheckExact(text) || !PyUnicode_IS_COMPACT_ASCII(text)) return {};
  return {reinterpret_cast<const char*>(PyUnicode_1BYTE_DATA(text)),
          static_cast<std::size_t>(PyUnicode_GET_LENGTH(text))};
}

PyObject* get(PyObject* scope, const py::str& key) {
  PyObject* value = PyDict_GetItemWithError(scope, key.ptr());
  if (value == nullptr && PyErr_Occurred()) throw py::error_already_set();
  return value;
}

bool is_loopback(std::string_view address) { return address.starts_with("127.") || address == "::1"; }

bool is_not_plain(const FrontState& state, std::string_view name) {
  if (name.empty() || !state.begins[static_cast<unsigned char>(name.front())]) return false;
  return std::ranges::any_of(state.not_plain, [name](std::string_view word) {
    return word.ends_with('*') ? name.starts_with(word.substr(0, word.size() - 1)) : name == word;
  });
}

// Whether server/access.py would let this request pass: a reader of this machine, who asks for a Host that passed before,
// not through a proxy. False: it must be asked.
bool may_pass(const FrontState& state, PyObject* scope) {
  const Words& key = words();
  if (get(scope, key.target_host) != nullptr) return false;  // a target in absolute form
  PyObject* client = get(scope, key.client);
  if (client == nullptr || !PyTuple_CheckExact(client) || PyTuple_GET_SIZE(client) < 1) return false;
  if (!is_loopback(ascii(PyTuple_GET_ITEM(client, 0)))) return false;
  PyObject* headers = get(scope, key.headers);
  if (headers == nullptr || !PyList_CheckExact(headers)) return false;
  PyObject* host = nullptr;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(headers); ++i) {
    PyObject* header = PyList_GET_ITEM(headers, i);
    if (!PyTuple_CheckExact(header) || PyTuple_GET_SIZE(header) != 2) return false;
    PyObject* name = PyTuple_GET_ITEM(header, 0);
    if (!PyBytes_CheckExact(name)) return false;
    const std::string_view word(PyBytes_AS_STRING(name), static_cast<std::size_t>(PyBytes_GET_SIZE(name)));
    if (is_not_plain(state, word)) return false;
    if (word != "host") continue;
    if (host != nullptr) return false;
    host = PyTuple_GET_ITEM(header, 1);
  }
  if (host == nullptr || !PyBytes_CheckExact(host)) return false;
  const int known = PySet_Contains(state.known_hosts.ptr(), host);
  if (known < 0) throw py::error_already_set();
  return known == 1;
}

// The path of a GET without a query; empty: another request.
std::string_view hot_path(PyObject* scope) {
  const Words& key = words();
  if (!PyDict_CheckExact(scope)) return {};
  if (ascii(get(scope, key.type)) != "http" || ascii(get(scope, key.method)) != "GET") return {};
  PyObject* root = get(scope, key.root_path);
  if (root != nullptr && !(PyUnicode_CheckExact(root) && PyUnicode_GET_LENGTH(root) == 0)) return {};
  PyObject* query = get(scope, key.query_string);
  if (query != nullptr && !(PyBytes_CheckExact(query) && PyBytes_GET_SIZE(query) == 0)) return {};
  return ascii(get(scope, key.path));
}

py::object to_bytes(const std::string& text) {
  return py::reinterpret_steal<py::object>(
      PyBytes_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size())));
}

std::string_view peer_of(PyObject* scope) {
  PyObject* client = get(scope, words().client);
  if (client == nullptr || !PyTuple_Check(client) || PyTuple_GET_SIZE(client) < 1) return {};
  return ascii(PyTuple_GET_ITEM(client, 0));
}

py::object pick_body(FrontState& state, std::string_view pool, std::string_view peer) {
  orchestrator::Orchestrator& core = state.core->get();
  const Result<Pick> picked = core.balancer().pick(pool, {.peer = peer, .now = AsioLoop::steady_now()});
  if (!picked) return {};
  const Pick& pick = picked.value();
  ViewPtr view = core.find(pick.instance->id());
  if (!view) return {};
  const std::size_t slot = pick.instance->slot();
  if (slot >= FrontState::kBodies) return to_bytes(answer_json(pick, *view, false));
  if (slot >= state.bodies.size()) state.bodies.resize(slot + 1);
  FrontState::Body& body = state.bodies[slot];
  const std::uint32_t figures = view->figures_version();  // read before the figures: the next call sees later writes
  const bool known = body.view == view && body.figures == figures && body.stamp == pick.instance->stamp() &&
                     body.strategy == pick.strategy;
  if (!known) {
    py::object made = to_bytes(answer_json(pick, *view, false));
    body = {pick.instance->stamp(), pick.strategy, figures, std::move(view), std::move(made)};
  }
  return body.bytes;
}

py::object service_body(const FrontState& state, std::string_view id) {
  const ViewPtr view = state.core->get().find(id);
  return view ? to_bytes(view->service_json()) : py::object();
}

py::object list_body(const FrontState& state, std::string_view path) {
  orchestrator::Orchestrator& core = state.core->get();
  if (core.totals().total > state.small_fleet) return {};
  return to_bytes(path == "/status" ? *core.status_json(false) : *core.services_json(std::nullopt));
}

py::object health_body() {
  std::string text = R"({"status":"ok","timestamp":")";
  append_iso_time(text, AsioLoop::wall_now());
  text += "\"}";
  return to_bytes(text);
}

py::object pair(const py::bytes& name, std::uint64_t value) {
  return py::make_tuple(name, py::bytes(std::to_string(value)));
}

py::object length_header(FrontState& state, PyObject* body) {
  const auto size = static_cast<std::size_t>(PyBytes_GET_SIZE(body));
  if (size >= state.lengths.size()) return pair(words().content_length, size);
  py::object& known = state.lengths[size];
  if (!known) known = pair(words().content_length, size);
  return known;
}

const py::object& seq_header(FrontState& state, std::uint64_t seq) {
  if (state.seq != seq) {
    state.seq_header = pair(words().azora_seq, seq);
    state.seq = seq;
  }
  return state.seq_header;
}

py::object message(const py::dict& form, const py::str& key, const py::object& value) {
  auto made = py::reinterpret_steal<py::object>(PyDict_Copy(form.ptr()));
  if (!made || PyDict_SetItem(made.ptr(), key.ptr(), value.ptr()) != 0) throw py::error_already_set();
  return made;
}

// The one segment after that prefix; empty: the path has another form.
std::string_view segment(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return {};
  path.remove_prefix(prefix.size());
  return path.find('/') == std::string_view::npos ? path : std::string_view{};
}

enum class Caller { unknown, passed };

py::object answer(FrontState& state, PyObject* scope, Caller caller) {
  if (state.core->closed() || state.core->forked()) return py::none();
  const std::string_view path = hot_path(scope);
  if (path.empty()) return py::none();
  if (caller == Caller::unknown && !may_pass(state, scope)) return py::none();
  // Read before the body is made: the body reflects at least this.
  const std::uint64_t seq = state.core->get().seq();
  py::object body;
  bool store = true;
  if (const std::string_view pool = segment(path, "/loadbalancer/"); !pool.empty()) {
    body = pick_body(state, pool, peer_of(scope));
    store = false;
  } else if (path == "/status" || path == "/services") {
    body = list_body(state, path);
  } else if (const std::string_view id = segment(path, "/services/"); !id.empty()) {
    body = service_body(state, id);
  } else if (path == "/health") {
    body = health_body();
  }
  if (!body) return py::none();
  const Words& word = words();
  py::list headers(store ? 3 : 4);
  Py_ssize_t at = 0;
  const auto add = [&](const py::object& header) { PyList_SET_ITEM(headers.ptr(), at++, Py_NewRef(header.ptr())); };
  add(word.json_type);
  if (!store) add(word.no_store);
  add(length_header(state, body.ptr()));
  add(seq_header(state, seq));
  return py::make_tuple(message(word.start, word.headers, headers), message(word.end, word.body, body));
}

template <Caller caller>
PyObject* answer_builtin(PyObject* self, PyObject* scope) {
  try {
    return answer(*reinterpret_cast<FrontObject*>(self)->state, scope, caller).release().ptr();
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
  delete reinterpret_cast<FrontObject*>(self)->state;
  PyTypeObject* type = Py_TYPE(self);
  type->tp_free(self);
  Py_DECREF(type);
}

PyMethodDef methods[] = {
    {"answer", &answer_builtin<Caller::unknown>, METH_O,
     "answer($self, scope)\n--\n\nThe two messages that answer a hot read of a caller whose access needs no check, or None."},
    {"answer_passed", &answer_builtin<Caller::passed>, METH_O,
     "answer_passed($self, scope)\n--\n\nThe same for a caller that server/access.py has admitted."},
    {nullptr, nullptr, 0, nullptr}};

PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(&dealloc)},
                       {Py_tp_methods, static_cast<void*>(methods)},
                       {0, nullptr}};

PyType_Spec spec = {"azora_orchestrator._core.Front", sizeof(FrontObject), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, slots};

py::object new_front(const std::shared_ptr<CoreHandle>& core, const py::set& known_hosts,
                     const std::vector<std::string>& not_plain, std::size_t small_fleet) {
  auto state = std::make_unique<FrontState>();
  state->core = core;
  state->known_hosts = known_hosts;
  state->small_fleet = small_fleet;
  for (const std::string& word : not_plain) {
    state->not_plain.push_back(word);
    if (!word.empty()) state->begins[static_cast<unsigned char>(word.front())] = true;
  }
  auto* object = PyObject_New(FrontObject, front_type);
  if (object == nullptr) throw py::error_already_set();
  object->state = state.release();
  return py::reinterpret_steal<py::object>(reinterpret_cast<PyObject*>(object));
}

}  // namespace

void bind_front(CoreClass& core) {
  PyObject* type = PyType_FromSpec(&spec);
  if (type == nullptr) throw py::error_already_set();
  front_type = reinterpret_cast<PyTypeObject*>(type);
  (void)words();
  core.def("front",
           [](const std::shared_ptr<CoreHandle>& self, const py::set& known_hosts,
              const std::vector<std::string>& not_plain, std::size_t small_fleet) {
             return new_front(self, known_hosts, not_plain, small_fleet);
           },
           py::arg("known_hosts"), py::arg("not_plain"), py::arg("small_fleet"));
}

}  // namespace azora::bindings
