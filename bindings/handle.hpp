#pragma once
// The orchestrator behind the Python object `Core`.
// Threads: any, with or without the GIL; Python keeps the object alive during a call.
// Ownership: owns the orchestrator, except in a forked child, where it is left alone.
#include <atomic>
#include <memory>

#include "azora/orchestrator/orchestrator.hpp"
#include "bindings.hpp"

namespace azora::bindings {

class CoreHandle {
 public:
  explicit CoreHandle(orchestrator::Options options)
      : impl_(std::make_unique<orchestrator::Orchestrator>(std::move(options))) {}
  ~CoreHandle();
  CoreHandle(const CoreHandle&) = delete;
  CoreHandle& operator=(const CoreHandle&) = delete;

  // For reads; works also after close(). Throws forked_handle.
  orchestrator::Orchestrator& get() const {
    process_.check();
    return *impl_;
  }
  // For everything that needs the control thread. Throws forked_handle, closed.
  orchestrator::Orchestrator& live() const;
  void close(std::int64_t timeout_ms);
  // Closes and leaves the services of a durable fleet running.
  void leave();
  bool closed() const { return closed_.load(std::memory_order_acquire); }
  bool forked() const { return process_.forked(); }

  py::object picker;  // `Core.pick` is a builtin of it
  // The newest graph that a caller asked for, as a Python object: all callers that ask for the same graph share it.
  struct KeptBytes {
    std::shared_ptr<const std::string> text;
    py::object bytes;
  };
  mutable KeptBytes graph;

 private:
  std::unique_ptr<orchestrator::Orchestrator> impl_;
  std::atomic<bool> closed_{false};
  OwningProcess process_;
};

using CoreClass = py::class_<CoreHandle, std::shared_ptr<CoreHandle>>;

void bind_registration(py::module_& module, CoreClass& core);
void bind_core_reads(py::module_& module, CoreClass& core);
void bind_history(CoreClass& core);
void bind_picks(py::module_& module, CoreClass& core);

[[noreturn]] inline void bad_argument(std::string message) {
  throw Failure(Error{ErrorCode::invalid_argument, std::move(message), {}});
}
inline Millis millis(std::int64_t count) { return Millis{count < 0 ? 0 : count}; }

}  // namespace azora::bindings
