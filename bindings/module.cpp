#include "bindings.hpp"

PYBIND11_MODULE(_core, module) {
  module.doc() = "The native core. Private: users import azora_orchestrator.";
  module.attr("BUILD_ID") = AZORA_BUILD_ID;
  azora::bindings::bind_errors(module);
  azora::bindings::bind_fork(module);
  azora::bindings::bind_views(module);
  azora::bindings::bind_events(module);
  azora::bindings::bind_core(module);
  azora::bindings::bind_tables(module);
  azora::bindings::bind_state(module);
}
