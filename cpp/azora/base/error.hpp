#pragma once
// Every way in which a call of ours can fail on purpose. Errors are distinguished by code, never by
// message. The one table of codes (wire name, REST status) is in error.cpp; Python's errors.py mirrors
// it and a test compares the two row by row.
#include <string>
#include <string_view>
#include <vector>

namespace azora {

enum class ErrorCode {
  invalid_spec,          // a field of a service is wrong; faults names each            400
  invalid_json,          // the input is not acceptable JSON                           400
  invalid_argument,      // a parameter of a call is wrong                             400
  dependency_cycle,      // registration would close a cycle; message has the path     400
  pool_conflict,         // an explicit group has the name of a type, or the reverse   400
  exec_forbidden,        // a command to run came over REST                            403
  unknown_service,       // no such id                                                 404
  no_healthy_instance,   // nothing eligible in the pool                               503
  healing_unavailable,   // start/stop/restart of a service we have no action for      409
  not_coming,            // the awaited state cannot be reached; the message has the reason        409
  not_running,           // the orchestrator is stopped                                503
  timed_out,             // waited to the caller's deadline                            504
  closed,                // the handle was closed or the interpreter is going away     503
  limit_reached,         // a documented limit; message names it                       429
  keeper_failed,         // the keeper could not be started or reached                 500
  storage_failed,        // the store could not be written or read                     503
  storage_full,          // the store has no room                                      507
  internal,              // our bug                                                    500
};

struct ErrorRow {
  ErrorCode code;
  std::string_view name;  // the code on the wire, snake_case
  int status;             // REST status
};
const std::vector<ErrorRow>& error_table();
std::string_view error_name(ErrorCode code);
int error_status(ErrorCode code);

// One thing wrong with one field of an input. `field` is a path as the user wrote it:
// "healthCheck.timeout", "dependencies[2].condition".
struct Fault {
  std::string field;
  std::string message;  // rule, value and what to do: "is 0; it must be at least 100"
  friend bool operator==(const Fault&, const Fault&) = default;
};

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;        // one line; for invalid_spec all faults joined with "; "
  std::vector<Fault> faults;  // for invalid_spec, and for invalid_json if it is about a known field
};

// Makes an invalid_spec error of its faults: message "field: rule ...; field: rule ...".
Error spec_error(std::vector<Fault> faults);

}  // namespace azora
