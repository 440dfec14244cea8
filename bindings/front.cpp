#include "front.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hot_reads.hpp"

namespace azora::bindings {
namespace {

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
  explicit FrontState(HotReads hot_reads) : reads(std::move(hot_reads)) {}

  HotReads reads;
  py::set known_hosts;
  std::vector<std::string> not_plain;  // names of headers; with "*" at the end: all that begin so
  std::array<bool, 256> begins{};      // whether one of them begins with this byte

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

std::string_view bytes(PyObject* object) {
  if (object == nullptr || !PyBytes_CheckExact(object)) return {};
  return {PyBytes_AS_STRING(object), static_cast<std::size_t>(PyBytes_GET_SIZE(object))};
}

// The address of a caller; empty: it has none.
std::string_view address_of(PyObject* client) {
  if (client == nullptr || !PyTuple_Check(client) || PyTuple_GET_SIZE(client) < 1) return {};
  return ascii(PyTuple_GET_ITEM(client, 0));
}

// Whether server/access.py would let this request pass: a reader of this machine, who asks for a Host that passed
// before, with no header that is not plain. False: it must be asked.
bool may_pass(const FrontState& state, std::string_view address, PyObject* headers) {
  if (!is_loopback(address)) return false;
  if (headers == nullptr || !PyList_CheckExact(headers)) return false;
  PyObject* host = nullptr;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(headers); ++i) {
    PyObject* header = PyList_GET_ITEM(headers, i);
    if (!PyTuple_CheckExact(header) || PyTuple_GET_SIZE(header) != 2) return false;
    PyObject* name = PyTuple_GET_ITEM(header, 0);
    if (!PyBytes_CheckExact(name)) return false;
    const std::string_view word = bytes(name);
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

// What a scope asks; with an empty path it is no GET of an app that is not mounted.
HotRead read_of(PyObject* scope) {
  const Words& key = words();
  if (!PyDict_CheckExact(scope)) return {};
  if (ascii(get(scope, key.type)) != "http" || ascii(get(scope, key.method)) != "GET") return {};
  PyObject* root = get(scope, key.root_path);
  if (root != nullptr && !(PyUnicode_CheckExact(root) && PyUnicode_GET_LENGTH(root) == 0)) return {};
  PyObject* query = get(scope, key.query_string);
  if (query != nullptr && !PyBytes_CheckExact(query)) return {};
  return {.path = ascii(get(scope, key.path)), .query = bytes(query), .peer = address_of(get(scope, key.client))};
}

// What a request line asks; with an empty path its target is not one that means itself: it has a host, or must be
// decoded.
HotRead read_of(std::string_view target, std::string_view peer) {
  const auto means_itself = [](char c) { return c > ' ' && c < 0x7f && c != '%' && c != '#'; };
  if (!target.starts_with('/') || !std::ranges::all_of(target, means_itself)) return {};
  const std::size_t mark = target.find('?');
  if (mark == std::string_view::npos) return {.path = target, .query = {}, .peer = peer};
  return {.path = target.substr(0, mark), .query = target.substr(mark + 1), .peer = peer};
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

// What a builtin returns: a new reference, or null with an error set.
template <typename Call>
PyObject* guarded(const Call& call) {
  try {
    return call().release().ptr();
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

enum class Caller { unknown, passed };

py::object answer(FrontState& state, PyObject* scope, Caller caller) {
  const HotRead read = read_of(scope);
  if (read.path.empty()) return py::none();
  if (caller == Caller::unknown) {
    if (get(scope, words().target_host) != nullptr) return py::none();  // a target in absolute form
    if (!may_pass(state, read.peer, get(scope, words().headers))) return py::none();
  }
  const HotReads::Found found = state.reads.find(read);
  if (!found.body) return py::none();
  const Words& word = words();
  py::list headers(found.may_be_stored ? 3 : 4);
  Py_ssize_t at = 0;
  const auto add = [&](const py::object& header) { PyList_SET_ITEM(headers.ptr(), at++, Py_NewRef(header.ptr())); };
  add(word.json_type);
  if (!found.may_be_stored) add(word.no_store);
  add(length_header(state, found.body.ptr()));
  add(seq_header(state, found.seq));
  return py::make_tuple(message(word.start, word.headers, headers), message(word.end, word.body, found.body));
}

template <Caller caller>
PyObject* answer_builtin(PyObject* self, PyObject* scope) {
  return guarded([&] { return answer(*reinterpret_cast<FrontObject*>(self)->state, scope, caller); });
}

void append(std::string& out, std::string_view name, std::uint64_t value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(name).append(digits.data(), end).append("\r\n");
}

// The same as a server writes it for the two messages.
py::object response(FrontState& state, const HotRead& read, PyObject* headers, std::string_view date) {
  if (read.path.empty() || !may_pass(state, read.peer, headers)) return py::none();
  const HotReads::Found found = state.reads.find(read);
  if (!found.body) return py::none();
  const std::string_view body = bytes(found.body.ptr());
  std::string head;
  head.reserve(256);
  head.append("HTTP/1.1 200 OK\r\ndate: ").append(date);
  head.append("\r\ncontent-type: application/json; charset=utf-8\r\n");
  if (!found.may_be_stored) head.append("cache-control: no-store\r\n");
  append(head, "content-length: ", body.size());
  append(head, "azora-seq: ", found.seq);
  head.append("\r\n");
  PyObject* whole = PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(head.size() + body.size()));
  if (whole == nullptr) throw py::error_already_set();
  char* place = PyBytes_AS_STRING(whole);
  body.copy(place + head.copy(place, head.size()), body.size());
  return py::reinterpret_steal<py::object>(whole);
}

PyObject* response_builtin(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  return guarded([&]() -> py::object {
    if (count != 4 || !PyBytes_CheckExact(args[0]) || !PyBytes_CheckExact(args[3])) {
      PyErr_SetString(PyExc_TypeError, "response() takes target, headers, client, date");
      throw py::error_already_set();
    }
    const HotRead read = read_of(bytes(args[0]), address_of(args[2]));
    return response(*reinterpret_cast<FrontObject*>(self)->state, read, args[1], bytes(args[3]));
  });
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
    {"response", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&response_builtin)), METH_FASTCALL,
     "response($self, target, headers, client, date)\n--\n\n"
     "The whole HTTP/1.1 response to such a GET on a connection that stays open, or None."},
    {nullptr, nullptr, 0, nullptr}};

PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(&dealloc)},
                       {Py_tp_methods, static_cast<void*>(methods)},
                       {0, nullptr}};

PyType_Spec spec = {"azora_orchestrator._core.Front", sizeof(FrontObject), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, slots};

py::object new_front(const std::shared_ptr<CoreHandle>& core, const py::set& known_hosts,
                     const std::vector<std::string>& not_plain, std::size_t small_fleet) {
  auto state = std::make_unique<FrontState>(HotReads(core, small_fleet));
  state->known_hosts = known_hosts;
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
