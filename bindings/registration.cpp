// Registration through `_core.Core`, and the checks of services before it.
#include <pybind11/stl.h>

#include <tuple>

#include "azora/model/spec_parser.hpp"
#include "azora/orchestrator/address_faults.hpp"
#include "handle.hpp"
#include "pending_calls.hpp"

namespace azora::bindings {
namespace {

Origin read_origin(const std::string& name) {
  if (name == "file") return Origin::file;
  if (name == "python") return Origin::python;
  if (name == "rest") return Origin::rest;
  bad_argument("origin: is \"" + name + "\"; it must be file, python or rest");
}

std::vector<SpecPtr> parse_texts(const std::vector<std::string>& texts, Origin origin, const std::string& base_dir,
                                 const std::vector<bool>& callables) {
  ParseOptions options{.origin = origin, .base_dir = base_dir, .given_action = nullptr};
  std::vector<SpecPtr> specs;
  specs.reserve(texts.size());
  std::vector<Fault> faults;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    options.given_action = i < callables.size() && callables[i] ? &kCallableAction : nullptr;
    Result<std::vector<SpecPtr>> parsed = parse_service(texts[i], options);
    if (parsed) {
      for (SpecPtr& spec : parsed.value()) specs.push_back(std::move(spec));
      continue;
    }
    if (parsed.error().faults.empty()) throw Failure(std::move(parsed).error());
    const std::string prefix = texts.size() > 1 ? "services[" + std::to_string(i) + "]." : "";
    for (const Fault& fault : parsed.error().faults) {
      faults.push_back({prefix + fault.field, fault.message});
    }
  }
  if (!faults.empty()) throw Failure(spec_error(std::move(faults)));
  return specs;
}

orchestrator::Apply read_apply(const std::string& name) {
  if (name == "next-start") return orchestrator::Apply::at_next_start;
  if (name == "restart") return orchestrator::Apply::restart;
  bad_argument("apply: is \"" + name + "\"; it must be next-start or restart");
}

std::uint64_t register_texts(const CoreHandle& self, const std::vector<std::string>& texts,
                             const std::string& origin, const std::string& base_dir,
                             const std::vector<bool>& callables, const std::string& apply) {
  const orchestrator::Apply when = read_apply(apply);
  if (read_origin(origin) == Origin::rest) return value_or_throw(self.live().register_requests(texts));
  std::vector<SpecPtr> specs = parse_texts(texts, read_origin(origin), base_dir, callables);
  return value_or_throw(self.live().register_many(std::move(specs), origin, when));
}

std::vector<std::pair<std::string, std::string>> check(const std::string& text,
                                                       const std::string& origin,
                                                       const std::string& base_dir) {
  const Result<std::vector<SpecPtr>> parsed = parse_service(
      text, {.origin = read_origin(origin), .base_dir = base_dir, .given_action = nullptr});
  std::vector<std::pair<std::string, std::string>> faults;
  if (parsed) return faults;
  for (const Fault& fault : parsed.error().faults) faults.emplace_back(fault.field, fault.message);
  if (faults.empty()) faults.emplace_back("", parsed.error().message);
  return faults;
}

std::vector<std::pair<std::size_t, std::string>> check_addresses(const std::vector<std::string>& texts,
                                                                const std::string& base_dir, const std::string& host,
                                                                std::uint16_t port) {
  const ParseOptions options{.origin = Origin::file, .base_dir = base_dir, .given_action = nullptr};
  std::vector<std::pair<std::size_t, std::string>> faults;
  for (auto& fault : orchestrator::address_faults(texts, options, host, port)) {
    faults.emplace_back(fault.index, std::move(fault.message));
  }
  return faults;
}

// The registered entry of that name as one service; null: there is none.
ViewPtr entry_view(const CoreHandle& self, const std::string& name) { return self.get().find(name); }

// (is registered, its process runs another program, configuration as registered, configuration of the text).
std::tuple<bool, bool, std::string, std::string> compare(const CoreHandle& self, const std::string& text,
                                                        const std::string& base_dir) {
  const std::vector<SpecPtr> specs = parse_texts({text}, Origin::file, base_dir, {});
  const ServiceSpec& after = *specs.front();
  const ViewPtr view = entry_view(self, after.entry_id());
  if (!view) return {false, false, "", after.source()};
  const ServiceSpec& before = *view->spec;
  const bool restarts = before.process && after.process && (!same_program(*before.process, *after.process) ||
                                                            before.target.port != after.target.port);
  return {true, restarts, before.source(), after.source()};
}

std::string source_of(const CoreHandle& self, const std::string& name) {
  const ViewPtr view = entry_view(self, name);
  if (!view) throw Failure(Error{ErrorCode::unknown_service, "Service not found", {}});
  return view->spec->source();
}

}  // namespace

void bind_registration(py::module_& module, CoreClass& core) {
  core.def("register", &register_texts, py::arg("texts"), py::arg("origin"), py::arg("base_dir"),
           py::arg("callables"), py::arg("apply") = "next-start", Unlocked());
  core.def("compare", &compare, py::arg("text"), py::arg("base_dir"), Unlocked());
  core.def("source_of", &source_of, py::arg("name"));
  core.def(
      "set_own_address",
      [](const CoreHandle& self, const std::string& host, std::uint16_t port) {
        check_or_throw(self.live().set_own_address(host, port));
      },
      py::arg("host"), py::arg("port"), Unlocked());
  bind_pending_calls(module, core);
  module.def("check", &check, py::arg("text"), py::arg("origin"), py::arg("base_dir"), Unlocked());
  module.def("check_addresses", &check_addresses, py::arg("texts"), py::arg("base_dir"), py::arg("host"),
             py::arg("port"), Unlocked());
  module.def("service_schema", [](const std::string& origin) { return service_json_schema(read_origin(origin)); },
             py::arg("origin") = "file");
}

}  // namespace azora::bindings
