#pragma once
// The body of GET /loadbalancer/{pool}. Threads: any. Fails: never.
#include <string>

#include "azora/balancer/balancer.hpp"
#include "azora/model/view.hpp"

namespace azora::bindings {

// {"serviceId","endpoint","health","strategy"[,"lease"][,"panic","candidates"]}
std::string answer_json(const balancer::Pick& pick, const ServiceView& view, bool explain);

}  // namespace azora::bindings
