#include "azora/base/error.hpp"

#include <utility>

namespace azora {

const std::vector<ErrorRow>& error_table() {
  static const std::vector<ErrorRow> table = {
      {ErrorCode::invalid_spec, "invalid_spec", 400},
      {ErrorCode::invalid_json, "invalid_json", 400},
      {ErrorCode::invalid_argument, "invalid_argument", 400},
      {ErrorCode::dependency_cycle, "dependency_cycle", 400},
      {ErrorCode::pool_conflict, "pool_conflict", 400},
      {ErrorCode::exec_forbidden, "exec_forbidden", 403},
      {ErrorCode::unknown_service, "unknown_service", 404},
      {ErrorCode::no_healthy_instance, "no_healthy_instance", 503},
      {ErrorCode::healing_unavailable, "healing_unavailable", 409},
      {ErrorCode::not_coming, "not_coming", 409},
      {ErrorCode::not_running, "not_running", 503},
      {ErrorCode::timed_out, "timed_out", 504},
      {ErrorCode::closed, "closed", 503},
      {ErrorCode::limit_reached, "limit_reached", 429},
      {ErrorCode::keeper_failed, "keeper_failed", 500},
      {ErrorCode::storage_failed, "storage_failed", 503},
      {ErrorCode::storage_full, "storage_full", 507},
      {ErrorCode::internal, "internal", 500},
  };
  return table;
}

namespace {
const ErrorRow& row_of(ErrorCode code) {
  return error_table()[static_cast<std::size_t>(code)];  // the table is in enum order; tested
}
}  // namespace

std::string_view error_name(ErrorCode code) { return row_of(code).name; }
int error_status(ErrorCode code) { return row_of(code).status; }

Error spec_error(std::vector<Fault> faults) {
  std::string message;
  for (const Fault& fault : faults) {
    if (!message.empty()) message += "; ";
    message += fault.field + ": " + fault.message;
  }
  return {ErrorCode::invalid_spec, std::move(message), std::move(faults)};
}

}  // namespace azora
