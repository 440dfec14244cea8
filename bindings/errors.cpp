// Turns errors of the core into Python exceptions: CoreError, or the exception that the package's factory makes of one.
#include "bindings.hpp"

namespace azora::bindings {
namespace {

// Both live as long as the process, because exceptions may be made until the interpreter has ended.
PyObject* core_error = nullptr;
PyObject* factory = nullptr;

py::list fault_list(const Error& error) {
  py::list faults;
  for (const Fault& fault : error.faults) {
    faults.append(py::make_tuple(fault.field, fault.message));
  }
  return faults;
}

void translate(std::exception_ptr thrown) {
  try {
    if (thrown) std::rethrow_exception(thrown);
  } catch (const Failure& failure) {
    set_python_error(failure);
  } catch (const py::cast_error&) {  // its own text speaks of C++ types; the package checks values before
    set_python_error(Failure(Error{ErrorCode::invalid_argument, "an argument is out of range", {}}));
  }
}

}  // namespace

void set_python_error(const Failure& failure) {
  const py::tuple args =
      py::make_tuple(failure.code, failure.error.message, fault_list(failure.error));
  if (factory == nullptr) {
    PyErr_SetObject(core_error, args.ptr());
    return;
  }
  PyObject* made = or_rest([&] { return PyObject_CallObject(factory, args.ptr()); });
  if (made == nullptr) return;  // its own error is set
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(made)), made);
  Py_DECREF(made);
}

void bind_errors(py::module_& module) {
  core_error = PyErr_NewExceptionWithDoc(
      "azora_orchestrator.errors.CoreError",
      "args: (code, message, faults) with faults a list of (field, message).", PyExc_Exception,
      nullptr);
  if (core_error == nullptr) throw py::error_already_set();
  module.attr("CoreError") = py::reinterpret_borrow<py::object>(core_error);
  module.def(
      "set_error_factory",
      [](const py::object& made_by) { factory = py::object(made_by).release().ptr(); },
      py::arg("factory"));
  module.def("error_table", [] {
    py::list rows;
    for (const ErrorRow& row : error_table()) rows.append(py::make_tuple(row.name, row.status));
    return rows;
  });
  py::register_local_exception_translator(&translate);
}

}  // namespace azora::bindings
