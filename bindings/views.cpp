// A service at one moment: properties over the immutable view.
#include <pybind11/stl.h>

#include "azora/model/view.hpp"
#include "bindings.hpp"
#include "views.hpp"

namespace azora::bindings {
namespace {

const ServiceView& of(const ServiceHandle& self) { return *self.view; }

py::object endpoint_of(const ServiceHandle& self) {
  const auto& endpoint = of(self).spec->endpoint;
  return endpoint ? py::object(py::str(endpoint->text)) : py::none();
}

std::optional<int> pid_of(const ServiceHandle& self) {
  const auto& process = of(self).process;
  return process ? process->pid : std::nullopt;
}

std::string_view origin_name(Origin origin) {
  switch (origin) {
    case Origin::file: return "file";
    case Origin::python: return "python";
    case Origin::rest: return "rest";
  }
  return "rest";
}

}  // namespace

void bind_views(py::module_& module) {
  using Self = const ServiceHandle&;
  py::class_<ServiceHandle>(module, "Service", "One service at one moment (immutable).")
      .def_property_readonly("id", [](Self self) { return of(self).spec->id; })
      .def_property_readonly("name", [](Self self) { return of(self).spec->name(); })
      .def_property_readonly("type", [](Self self) { return *of(self).spec->type; })
      .def_property_readonly("group", [](Self self) { return of(self).spec->group(); })
      .def_property_readonly("origin", [](Self self) { return origin_name(of(self).spec->origin); })
      .def_property_readonly("endpoint", &endpoint_of)
      .def_property_readonly("status", [](Self self) { return wire_name(of(self).status); })
      .def_property_readonly("lifecycle", [](Self self) { return wire_name(of(self).lifecycle); })
      .def_property_readonly("desired", [](Self self) { return wire_name(of(self).desired); })
      .def_property_readonly("incarnation", [](Self self) { return of(self).incarnation; })
      .def_property_readonly("generation", [](Self self) { return of(self).generation; })
      .def_property_readonly("seq", [](Self self) { return self.seq; })
      .def_property_readonly("last_check_ms", [](Self self) { return self.figures.last_check.ms; })
      .def_property_readonly("start_time_ms", [](Self self) { return of(self).start_time.ms; })
      .def_property_readonly("uptime_ms", [](Self self) { return self.figures.uptime_ms; })
      .def_property_readonly("response_time_ms", [](Self self) { return self.figures.response_ms; })
      .def_property_readonly("restart_count", [](Self self) { return of(self).restart_count; })
      .def_property_readonly("error_count", [](Self self) { return self.figures.error_count; })
      .def_property_readonly("last_error", [](Self self) { return self.figures.last_error(); })
      .def_property_readonly("restart_required",
                             [](Self self) { return of(self).restart_required; })
      .def_property_readonly("pid", &pid_of)
      .def_property_readonly("json", [](Self self) { return as_bytes(of(self).service_json(self.figures)); })
      .def_property_readonly("health_json",
                             [](Self self) { return as_bytes(of(self).health_json(self.figures)); });
}

}  // namespace azora::bindings
