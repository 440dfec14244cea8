#pragma once
// The builtin behind `Core.pick`: it needs no frame and no conversion, and its answers are cached. A plain bound method
// of pybind11 costs five times as much.
// Threads: under the GIL, which it never releases: nothing it does can wait.
// Ownership: borrows the core. If the user kept `orch.pick`, it outlives the core, detached.
// Fails: as Python functions do: null with an error set.
#include <string_view>

#include "azora/balancer/types.hpp"
#include "bindings.hpp"
#include "handle.hpp"

namespace azora::bindings {

void bind_picker(py::module_& module);
// A Python object with the builtin `pick(pool, key=None, strategy=None)`.
py::object new_picker(CoreHandle& core);
// The core is being closed: from now on picks answer `closed`.
void detach_picker(const py::object& picker);

// Throws invalid_argument.
balancer::Strategy read_strategy(std::string_view name);

}  // namespace azora::bindings
