#pragma once
// What the files of the extension share. Python.h comes first, through pybind11.
// Threads: everything here runs with the GIL held unless it says Unlocked.
#include <pybind11/pybind11.h>

#include <atomic>
#include <exception>
#include <string>
#include <utility>

#include "azora/base/result.hpp"
#include "gil.hpp"

namespace azora::bindings {

namespace py = pybind11;

// For every call that can wait: other Python threads run while this object lives.
using Unlocked = py::call_guard<Unlock>;

// Becomes the Python exception of its error code. May be thrown without the GIL.
class Failure : public std::exception {
 public:
  explicit Failure(Error what) : code(error_name(what.code)), error(std::move(what)) {}
  Failure(std::string own_code, std::string message)
      : code(std::move(own_code)), error{ErrorCode::internal, std::move(message), {}} {}
  const char* what() const noexcept override { return error.message.c_str(); }

  std::string code;
  Error error;
};

template <typename T>
T value_or_throw(Result<T> result) {
  if (!result) throw Failure(std::move(result).error());
  return std::move(result).value();
}
inline void check_or_throw(Result<void> result) {
  if (!result) throw Failure(std::move(result).error());
}

// Sets the Python error for a failure; for functions that bypass pybind11.
void set_python_error(const Failure& failure);

// The number of this process: one higher in each child made by fork(). A handle with another number belongs to the
// parent and must be left alone.
inline std::atomic<unsigned> generation_now{1};
inline unsigned process_generation() { return generation_now.load(std::memory_order_relaxed); }
class OwningProcess {
 public:
  bool forked() const { return generation_ != process_generation(); }
  // Throws forked_handle.
  void check() const {
    if (forked()) [[unlikely]] refuse();
  }

 private:
  [[noreturn]] static void refuse();
  unsigned generation_ = process_generation();
};

inline py::bytes as_bytes(const std::string& text) { return py::bytes(text.data(), text.size()); }

void bind_errors(py::module_& module);
void bind_fork(py::module_& module);
void bind_views(py::module_& module);
void bind_events(py::module_& module);
void bind_core(py::module_& module);
void bind_tables(py::module_& module);
void bind_state(py::module_& module);

}  // namespace azora::bindings
