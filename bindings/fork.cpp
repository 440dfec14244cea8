// fork() in user code: the child has our memory but none of our threads. It closes our descriptors, but joins no thread
// and frees nothing that belongs to the parent; every handle refuses to work.
#include "bindings.hpp"
#include "descriptors.hpp"

namespace azora::bindings {

void OwningProcess::refuse() {
  throw Failure("forked_handle",
                "this handle belongs to the parent process; create a new orchestrator after fork()");
}

void bind_fork(py::module_& module) {
  const py::cpp_function in_child([] {
    generation_now.fetch_add(1, std::memory_order_relaxed);
    close_our_descriptors();
  });
  py::module_::import("os").attr("register_at_fork")(py::arg("after_in_child") = in_child);
  module.def("process_generation", &process_generation);
}

}  // namespace azora::bindings
