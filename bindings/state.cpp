// `azora state check` and `azora state repair`: the state of a fleet that does not run (azora/store/state_tools.hpp).
#include <pybind11/stl.h>

#include "azora/base/asio_loop.hpp"
#include "azora/store/state_tools.hpp"
#include "bindings.hpp"

namespace azora::bindings {
namespace {

// Each finding in words.
std::vector<std::string> lines_of(const std::vector<store::Finding>& findings) {
  std::vector<std::string> lines;
  for (const store::Finding& finding : findings) lines.push_back(store::words_of(finding));
  return lines;
}

py::dict repair(const std::string& folder) {
  const store::Repair done = [&] {
    const Unlock unlocked;
    return value_or_throw(store::repair_state(folder, AsioLoop::wall_now()));
  }();
  py::dict answer;
  answer["findings"] = lines_of(done.findings);
  answer["saved"] = done.saved;
  answer["lost"] = lines_of(done.lost);
  answer["kept"] = done.kept;
  return answer;
}

}  // namespace

void bind_state(py::module_& module) {
  module.def("check_state",
             [](const std::string& folder) { return lines_of(value_or_throw(store::check_state(folder, AsioLoop::wall_now()))); },
             py::arg("folder"), Unlocked());
  module.def("repair_state", &repair, py::arg("folder"));
}

}  // namespace azora::bindings
