#pragma once
// The parts of the validator; each reads one group of fields (spec_<part>.cpp), and spec_parser.cpp puts them together.
// Threads: any; state is the caller's. Fails: adds faults to the context; then the returned value must not be used.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "azora/model/endpoint.hpp"
#include "azora/model/service_spec.hpp"
#include "azora/model/spec_check.hpp"

namespace azora {

// Field `endpoint`, when it is given.
std::optional<Url> read_endpoint(CheckedObject& service);

// Field `dependencies`.
std::vector<Dependency> read_dependencies(const CheckedObject& service, SpecContext& context);

// Fields `healthCheckPath`, `healthCheckInterval`, `startInterval` and `healthCheck`, with the
// derived defaults (R18). Also decides whether an endpoint may be absent (R19).
struct CheckPlan {
  ProbeTarget target;
  ProbeSpec spec;
};
CheckPlan read_check(CheckedObject& service, const std::optional<Url>& endpoint,
                     SpecContext& context);

// Field `restart`, beside `process` and a Python callable (R22).
const ActionKind* read_action(CheckedObject& service, const ActionKind* given, SpecContext& context);

// Fields `maxRestarts`, `restartDelay`, `restartPolicy`, ... (R24, R54).
RestartPolicy read_restart_policy(CheckedObject& service, const ActionKind& action, bool has_endpoint);

// Field `process`, before {port} and {index} are replaced. `endpoint_given`: the field `endpoint` is present, right or
// wrong.
struct ProcessPlan {
  LaunchSpec launch;
  int replicas = 1;
  std::vector<std::uint16_t> ports;  // one per replica; empty: there is no endpoint
};
ProcessPlan read_process(const Json& process, const std::optional<Url>& endpoint,
                         bool endpoint_given, SpecContext& context);

// `launch` of one replica: {port} and {index} replaced in argv, cwd, env and envFile.
LaunchSpec substituted(const LaunchSpec& launch, std::optional<std::uint16_t> port, int index);

// `process` with relative cwd, envFile and argv[0] (if it is a path) made absolute from `base_dir`; a missing cwd
// becomes `base_dir`. Leaves faults to read_process.
void resolve_paths(Json& process, const std::string& base_dir);

}  // namespace azora
