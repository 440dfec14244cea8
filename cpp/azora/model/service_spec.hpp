#pragma once
// What a user registered: one service, validated, with every default filled in. Immutable once made;
// shared by all threads as shared_ptr<const ServiceSpec>.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "azora/base/boxed.hpp"
#include "azora/model/launch_spec.hpp"
#include "azora/model/probe_spec.hpp"
#include "azora/model/restart_policy.hpp"

namespace azora {

enum class Condition : std::uint8_t { started, healthy, completed };
enum class Strength : std::uint8_t { hard, soft };
enum class Origin : std::uint8_t { file, python, rest };

struct Dependency {
  std::string id;
  Condition condition = Condition::healthy;
  Strength strength = Strength::hard;
  friend bool operator==(const Dependency&, const Dependency&) = default;
};

struct Endpoint {
  std::string text;      // as given, without trailing slash: what picks answer
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

struct ServiceSpec {
  std::string id;
  std::string name;
  std::string type;
  std::optional<Endpoint> endpoint;
  std::string group;                  // the id (without @n) unless set
  bool explicit_group = false;        // set by the user, or shared by the replicas of one entry
  int priority = 5;
  std::optional<double> weight;       // unset: priority
  std::vector<Dependency> dependencies;
  ProbeTarget target;
  ProbeSpec probe;
  RestartPolicy restart;
  ActionKind action = ActionKind::none;
  Boxed<LaunchSpec> process;          // exactly when action == process
  Origin origin = Origin::rest;
  // Compact JSON of the configuration as readers see it: the seed's keys first and in its order, defaults
  // filled in, then the further keys as given (env values as ***). Made once by the validator.
  std::string config_json;
  // Compact JSON object of what the user gave, unmasked. Empty where config_json says it all.
  std::string source_json;

  // What is parsed again: for re-registration that merges (REST over a file's service) and for later persistence.
  const std::string& source() const { return source_json.empty() ? config_json : source_json; }
  double effective_weight() const { return weight ? *weight : static_cast<double>(priority); }
};

using SpecPtr = std::shared_ptr<const ServiceSpec>;

}  // namespace azora
