#pragma once
// One service, validated, with every default filled in: what a user wrote or, if that has replicas, one instance of it.
// Immutable once made; shared by all threads as shared_ptr<const ServiceSpec>.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "azora/base/boxed.hpp"
#include "azora/base/interned.hpp"
#include "azora/model/action_kinds.hpp"
#include "azora/model/launch_spec.hpp"
#include "azora/model/probe_spec.hpp"
#include "azora/model/restart_policy.hpp"

namespace azora {

enum class Condition : std::uint8_t { started, healthy, completed };
enum class Strength : std::uint8_t { hard, soft };
enum class OnRestart : std::uint8_t { none, restart };
enum class Origin : std::uint8_t { file, python, rest };

struct Dependency {
  std::string id;        // of an entry, "orders", or of one instance, "orders@1"
  Condition condition = Condition::healthy;
  Strength strength = Strength::hard;
  int min = 1;           // so many instances of the entry must have reached the condition
  OnRestart on_restart = OnRestart::none;  // restart: the dependent restarts after it did (R66)
  friend bool operator==(const Dependency&, const Dependency&) = default;
};

struct Endpoint {
  std::string text;      // as given, without trailing slash: returned by picks
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// Compact JSON of the configuration as readers see it: the seed's keys first and in its order, defaults filled in, then
// the further keys as given (env values as ***). The part that is the same for most services is stored once.
struct ConfigText {
  std::string own;              // without the common part
  Interned<std::string> common;
  std::uint32_t at = 0;         // where in `own` the common part belongs
  std::size_t size() const { return own.size() + common->size(); }
  void append_to(std::string& out) const { out.append(own, 0, at).append(*common).append(own, at); }
  std::string text() const {
    std::string out;
    out.reserve(size());
    append_to(out);
    return out;
  }
};

struct ServiceSpec {
  std::string id;                     // "orders"; of several replicas "orders@1"
  Interned<std::string> type;
  std::optional<Endpoint> endpoint;
  Boxed<std::string> own_name;        // as set by the user; see name()
  Boxed<std::string> own_group;       // as set; see group()
  bool explicit_group = false;        // set by the user
  bool outlives_stop = false;         // orphanPolicy keep: runs on when a durable orchestrator ends
  int replicas = 1;                   // of its entry
  int priority = 5;
  std::optional<double> weight;       // unset: priority
  std::vector<Dependency> dependencies;
  ProbeTarget target;
  Interned<ProbeSpec> probe;          // the same for most services, as the restart policy
  Interned<RestartPolicy> restart;
  const ActionKind* action = &kNoAction;
  Boxed<LaunchSpec> process;          // exactly when the action is kProcessAction
  Origin origin = Origin::rest;
  ConfigText config;                  // made once by the validator
  // Compact JSON object of what the user gave, unmasked; one for all replicas. Null if config_json() has all of it.
  std::shared_ptr<const std::string> source_json;
  // The entry as it was written, which is not a service itself; one for all replicas. Null: there is one replica, and
  // this is it.
  std::shared_ptr<const ServiceSpec> entry;

  // The text that is parsed again: for registrations that merge (REST over a file's service), and for persistence.
  std::string source() const { return source_json ? *source_json : config_json(); }
  std::string config_json() const { return config.text(); }
  const std::string& entry_id() const { return entry ? entry->id : id; }
  const std::string& name() const { return own_name ? *own_name : id; }
  const std::string& group() const { return own_group ? *own_group : entry_id(); }
  // True if it is alone in a pool of its own. Others can join this pool only by naming it as their group.
  bool is_alone() const { return !explicit_group && replicas == 1; }
  double effective_weight() const { return weight ? *weight : static_cast<double>(priority); }
};

using SpecPtr = std::shared_ptr<const ServiceSpec>;

}  // namespace azora
