// Reads of `_core.Core`: they never visit the control thread, except why, dependencies and graph.
#include <pybind11/stl.h>

#include "events.hpp"
#include "handle.hpp"
#include "views.hpp"

namespace azora::bindings {
namespace {

py::object find(const CoreHandle& self, std::string_view id) {
  ViewPtr view = self.get().find(id);
  if (!view) return py::none();
  return py::cast(ServiceHandle(std::move(view)));
}

std::vector<ServiceHandle> list(const CoreHandle& self, const std::optional<std::string>& type) {
  std::vector<ViewPtr> views = type ? self.get().by_type(*type) : self.get().list();
  std::vector<ServiceHandle> handles;
  handles.reserve(views.size());
  for (ViewPtr& view : views) handles.emplace_back(std::move(view));
  return handles;
}

py::tuple totals(const CoreHandle& self) {
  const orchestrator::Totals now = self.get().totals();
  return py::make_tuple(now.running, now.total, now.healthy, now.unhealthy, now.seq);
}

// Runs `make` without the GIL, answers bytes.
template <typename Make>
py::bytes unlocked_bytes(const Make& make) {
  const std::string text = [&] {
    const Unlock unlocked;
    return make();
  }();
  return as_bytes(text);
}

// (text, file, offset, missed): the place is behind the text.
template <typename Read>
py::tuple log_piece(const Read& read) {
  const orchestrator::LogPiece piece = [&] {
    py::gil_scoped_release unlocked;
    return value_or_throw(read());
  }();
  return py::make_tuple(as_bytes(piece.text), piece.next.file, piece.next.offset, piece.missed);
}

}  // namespace

void bind_core_reads(CoreClass& core) {
  using Self = const CoreHandle&;
  core.def("find", &find, py::arg("id"));
  core.def("list", &list, py::arg("type") = py::none(), Unlocked());
  core.def("totals", &totals);
  core.def("seq", [](Self self) { return self.get().seq(); });
  core.def("status_json",
           [](Self self, bool detailed) {
             return unlocked_bytes([&] { return self.get().status_json(detailed); });
           },
           py::arg("detailed"));
  core.def("services_json",
           [](Self self, const std::optional<std::string>& type) {
             return unlocked_bytes([&] { return self.get().services_json(type); });
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
  core.def("graph_json",
           [](Self self) { return unlocked_bytes([&] { return self.live().graph_json(); }); });
  core.def("metrics_text",
           [](Self self) { return unlocked_bytes([&] { return self.live().metrics_text(); }); });
  core.def("logs",
           [](Self self, const std::string& id, int lines) {
             return log_piece([&] { return self.live().logs(id, lines); });
           },
           py::arg("id"), py::arg("lines"));
  core.def("logs_after",
           [](Self self, const std::string& id, std::uint64_t file, std::uint64_t offset) {
             return log_piece([&] { return self.live().logs_after(id, {file, offset}); });
           },
           py::arg("id"), py::arg("file"), py::arg("offset"));
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
