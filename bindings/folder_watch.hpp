#pragma once
// Registers the Python object `_core.FolderWatch`.
// Threads: the importing one. Ownership: none. Fails: never.
#include "bindings.hpp"

namespace azora::bindings {

void bind_folder_watch(py::module_& module);

}  // namespace azora::bindings
