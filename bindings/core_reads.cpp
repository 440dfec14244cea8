// Reads of `_core.Core`: none of them visits the control thread.
#include <pybind11/stl.h>

#include <algorithm>

#include "azora/orchestrator/log_stream.hpp"
#include "events.hpp"
#include "folder_watch.hpp"
#include "handle.hpp"
#include "views.hpp"

namespace azora::bindings {
namespace {

py::object find(const CoreHandle& self, std::string_view id) {
  const std::uint64_t seq = self.get().seq();
  ViewPtr view = self.get().find(id);
  if (!view) return py::none();
  return py::cast(ServiceHandle(std::move(view), seq));
}

std::vector<ServiceHandle> list(const CoreHandle& self, const std::optional<std::string>& type) {
  const std::uint64_t seq = self.get().seq();
  std::vector<ViewPtr> views = type ? self.get().by_type(*type) : self.get().list();
  std::vector<ServiceHandle> handles;
  handles.reserve(views.size());
  for (ViewPtr& view : views) handles.emplace_back(std::move(view), seq);
  return handles;
}

py::tuple totals(const CoreHandle& self) {
  const orchestrator::Totals now = self.get().totals();
  return py::make_tuple(now.running, now.total, now.healthy, now.unhealthy, now.seq);
}

// Runs `make` without the GIL and returns its text as bytes.
template <typename Make>
py::bytes unlocked_bytes(const Make& make) {
  const std::string text = [&] {
    const Unlock unlocked;
    return make();
  }();
  return as_bytes(text);
}

// The same for a shared text that may have megabytes: it is also copied without the GIL.
py::bytes bytes_of(const std::shared_ptr<const std::string>& text) {
  constexpr std::size_t kSmall = 64 * 1024;  // copying this much is faster than releasing the GIL
  if (text->size() <= kSmall) return as_bytes(*text);
  PyObject* bytes = PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(text->size()));
  if (bytes == nullptr) throw py::error_already_set();
  char* place = PyBytes_AS_STRING(bytes);  // no other thread has this object yet
  {
    const Unlock unlocked;
    text->copy(place, text->size());
  }
  return py::reinterpret_steal<py::bytes>(bytes);
}

template <typename Make>
py::bytes unlocked_list(const Make& make) {
  const std::shared_ptr<const std::string> text = [&] {
    const Unlock unlocked;
    return make();
  }();
  return bytes_of(text);
}

// The graph of a large fleet has many megabytes, and several callers may ask at once.
py::object graph(const CoreHandle& self) {
  const std::shared_ptr<const std::string> text = [&] {
    const Unlock unlocked;
    return self.live().graph_json();
  }();
  if (self.graph.text != text) {
    py::object made = bytes_of(text);  // releases the GIL meanwhile
    self.graph = {text, std::move(made)};
  }
  return self.graph.bytes;
}

orchestrator::LogOptions log_options(int lines, bool follow, bool timestamps, std::string notes = {}) {
  return {.lines = static_cast<std::size_t>(std::max(0, lines)),
          .follow = follow,
          .timestamps = timestamps,
          .notes = std::move(notes)};
}

// One reader of a service's output. It holds the core, so it never outlives the core.
class LogStreamHandle {
 public:
  LogStreamHandle(std::shared_ptr<CoreHandle> core, const std::string& id, const orchestrator::LogOptions& options)
      : core_(std::move(core)), stream_(value_or_throw(core_->live().follow_logs(id, options))) {}
  ~LogStreamHandle() {
    // In a forked child its descriptor was closed, and the number may belong to another file by now.
    if (core_->forked()) static_cast<void>(stream_.release());
  }
  LogStreamHandle(const LogStreamHandle&) = delete;
  LogStreamHandle& operator=(const LogStreamHandle&) = delete;

  std::string next() {
    core_->live();
    return stream_->next();
  }
  void hold_new() {
    core_->live();
    stream_->hold_new();
  }
  bool over() const { return stream_->over(); }
  std::vector<std::string> folders() const { return stream_->folders(); }
  bool changed() const {
    core_->live();
    return stream_->changed();
  }

 private:
  std::shared_ptr<CoreHandle> core_;
  std::unique_ptr<orchestrator::LogStream> stream_;
};

void bind_log_stream(py::module_& module) {
  py::class_<LogStreamHandle>(module, "LogStream",
                              "A service's output as it is written. One thread at a time.")
      .def("next",
           [](LogStreamHandle& self) {
             const std::string piece = [&] {
               const Unlock unlocked;
               return self.next();
             }();
             return as_bytes(piece);
           })
      .def("hold_new", &LogStreamHandle::hold_new, Unlocked(), "Opens log files that have appeared, so that they are given even if they go.")
      .def_property_readonly("over", [](const LogStreamHandle& self) { return self.over(); })
      .def("folders", &LogStreamHandle::folders, "The folders that it reads now; a folder may not exist yet.")
      .def("changed", &LogStreamHandle::changed, "Whether something is new that its files do not show; reads no file.");
}

}  // namespace

void bind_core_reads(py::module_& module, CoreClass& core) {
  using Self = const CoreHandle&;
  bind_log_stream(module);
  bind_folder_watch(module);
  core.def("find", &find, py::arg("id"));
  core.def("list", &list, py::arg("type") = py::none(), Unlocked());
  core.def("totals", &totals);
  core.def("ended", [](const CoreHandle& self) { return self.get().ended(); });
  core.def("unverified", [](const CoreHandle& self) { return self.get().unverified(); });
  core.def("seq", [](Self self) { return self.get().seq(); });
  core.def("status_json",
           [](Self self, bool detailed) {
             return unlocked_list([&] { return self.get().status_json(detailed); });
           },
           py::arg("detailed"));
  core.def("services_json",
           [](Self self, const std::optional<std::string>& type) {
             return unlocked_list([&] { return self.get().services_json(type); });
           },
           py::arg("type"));
  core.def("why_json",
           [](Self self, const std::string& id) {
             return unlocked_bytes([&] { return value_or_throw(self.live().why_json(id)); });
           },
           py::arg("id"));
  core.def("dependencies_json",
           [](Self self, const std::string& id) {
             return unlocked_bytes(
                 [&] { return value_or_throw(self.live().dependencies_json(id)); });
           },
           py::arg("id"));
  core.def("graph_json", &graph);
  core.def("metrics_text",
           [](Self self) { return unlocked_bytes([&] { return self.live().metrics_text(); }); });
  core.def("trouble", [](Self self) { return self.get().trouble(); });
  core.def("logs",
           [](Self self, const std::string& id, int lines, bool timestamps) {
             return unlocked_bytes([&] {
               return value_or_throw(self.live().logs(id, log_options(lines, false, timestamps)));
             });
           },
           py::arg("id"), py::arg("lines"), py::arg("timestamps"));
  core.def("follow_logs",
           [](const std::shared_ptr<CoreHandle>& self, const std::string& id, int lines, bool follow,
              bool timestamps, const std::string& notes) {
             const Unlock unlocked;
             return std::make_unique<LogStreamHandle>(self, id, log_options(lines, follow, timestamps, notes));
           },
           py::arg("id"), py::arg("lines"), py::arg("follow"), py::arg("timestamps"), py::arg("notes"));
  core.def("cursor",
           [](Self self, std::optional<std::uint64_t> since,
              const std::optional<std::vector<std::string>>& types,
              const std::optional<std::string>& service) {
             return std::make_unique<CursorHandle>(
                 self.get().events().cursor(since, make_filter(types, service)));
           },
           py::arg("since"), py::arg("types"), py::arg("service"));
}

}  // namespace azora::bindings
