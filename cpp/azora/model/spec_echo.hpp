#pragma once
// ServiceSpec::config: the configuration as readers see it.
// Threads: any; a pure function. Fails: never.
#include "azora/model/json_value.hpp"
#include "azora/model/service_spec.hpp"

namespace azora {

// The seed's keys first and in its order, defaults filled in; then the further keys of `given` in
// the order given, durations and sizes as integers. Values of env and of headers that carry secrets
// are "***".
ConfigText echo_config(const Json& given, const ServiceSpec& spec);

}  // namespace azora
