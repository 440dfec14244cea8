#pragma once
// The one validator: the table of all service fields (R32), and the services it makes from a JSON text.
// Used by REST, Python and `azora check`; the OpenAPI and editor schemas are made from the same table.
// Threads: any; everything is a pure function of its arguments.
// Fails: all faults of an input at once, each with the field's path, the rule, the value and what to do.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "azora/base/result.hpp"
#include "azora/model/service_spec.hpp"

namespace azora {

struct ParseOptions {
  Origin origin = Origin::rest;
  // Relative cwd, envFile and argv elements of config files are resolved from here; empty: our working directory.
  std::string base_dir;
  // An action that is given beside the JSON text, as Python gives a restart callable (kCallableAction); null: none.
  const ActionKind* given_action = nullptr;
};

// Turns one entry, as a user wrote it, into the services it stands for (several if process.replicas > 1). `text` must
// be one JSON object. For REST origin, process, restart and healthCheck.type command are exec_forbidden.
Result<std::vector<SpecPtr>> parse_service(std::string_view text, const ParseOptions& options);

// Turns a JSON array of such entries (bulk registration) into all their services, in order. One fault anywhere refuses
// all of them. Fields of faults begin with "services[3].". options.given_action is ignored.
Result<std::vector<SpecPtr>> parse_services(std::string_view text, const ParseOptions& options);

// Merges a request with an entry that a file or Python registered: the request's fields of the seed replace those of
// `old`, which is any service of that entry. What to run, how to heal and the number of replicas stay the owner's.
Result<std::vector<SpecPtr>> parse_over(std::string_view text, const ServiceSpec& old);

// JSON Schema (draft 2020-12) of one service as that origin may write it, generated from the field table; compact text.
// REST: integer durations, no process, no restart, further keys allowed. Without an argument: the schema for config
// files.
std::string service_json_schema(Origin origin);
std::string service_json_schema();

}  // namespace azora
