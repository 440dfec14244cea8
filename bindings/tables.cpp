// The tables of the core, for tests and documentation that compare themselves with them.
#include <algorithm>
#include <array>

#include "azora/model/event_fields.hpp"
#include "azora/model/event_word.hpp"
#include "azora/model/health_status.hpp"
#include "azora/model/lifecycle.hpp"
#include "azora/model/spec_fields.hpp"
#include "bindings.hpp"

namespace azora::bindings {
namespace {

py::list words(std::string_view text) {
  py::list out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) out.append(py::str(std::string(text.substr(0, end))));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

// In enum order; `last` is the last value.
template <typename Enum>
py::list names(Enum last) {
  py::list out;
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    out.append(py::str(std::string(wire_name(static_cast<Enum>(i)))));
  }
  return out;
}

template <typename Words>
py::list closed_words() {
  py::list out;
  for (const std::string_view word : Words::kWords) {
    if (!word.empty()) out.append(py::str(std::string(word)));
  }
  return out;
}

py::dict vocabulary() {
  py::dict out;
  out["status"] = names(HealthStatus::unhealthy);
  out["lifecycle"] = names(static_cast<Lifecycle>(kLifecycleCount - 1));
  out["desired"] = names(Desired::hold);
  out["cause"] = closed_words<EventCauses>();
  out["actor"] = closed_words<EventActors>();
  return out;
}

std::string_view kind_name(FieldKind kind) {
  constexpr std::array<std::string_view, 11> kNames = {"word",  "text",   "integer", "number", "boolean", "duration",
                                                       "bytes", "choice", "object",  "list",   "other"};
  return kNames[static_cast<std::size_t>(kind)];
}

// A row each field: path of its object ("" for the service, "process.log", "dependencies[]"), name, kind, ...
py::list fields() {
  py::list out;
  for (const FieldRow& row : all_fields()) {
    if (!row.available || row.section == Section::restart) continue;
    py::dict one;
    one["section"] = py::str(std::string(section_path(row.section)));
    one["name"] = py::str(std::string(row.name));
    one["kind"] = py::str(std::string(kind_name(row.kind)));
    one["rule"] = py::str(row.kind == FieldKind::object ? std::string(row.rule) : rule_text(row, false));
    one["choices"] = words(row.choices);
    one["default"] = py::str(std::string(row.default_json));
    one["doc"] = py::str(std::string(row.doc));
    one["required"] = py::bool_(row.required);
    out.append(std::move(one));
  }
  return out;
}

py::list events() {
  py::list out;
  for (const EventRow& row : event_rows()) {
    out.append(py::make_tuple(std::string(wire_name(row.type)), std::string(row.doc), words(row.keys), words(row.more),
                              row.of_service));
  }
  return out;
}

py::list event_keys() {
  py::list out;
  for (const EventKeyRow& row : event_key_rows()) {
    out.append(py::make_tuple(std::string(row.name), std::string(row.type), row.nullable, row.common,
                              std::string(row.doc)));
  }
  return out;
}

}  // namespace

void bind_tables(py::module_& module) {
  module.def("vocabulary", &vocabulary);
  module.def("service_fields", &fields);
  module.def("event_table", &events);
  module.def("event_keys", &event_keys);
}

}  // namespace azora::bindings
