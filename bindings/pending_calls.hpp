#pragma once
// Registers the Python object `_core.PendingCalls` and the method of Core that makes one.
// Threads: the importing one. Ownership: none. Fails: never.
#include "handle.hpp"

namespace azora::bindings {

void bind_pending_calls(py::module_& module, CoreClass& core);

}  // namespace azora::bindings
