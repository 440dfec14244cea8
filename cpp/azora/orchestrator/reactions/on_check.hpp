#pragma once
// From an answer to a check to a verdict, and from a verdict to what healing is told.
// Threads: the control thread. Fails: never.
#include <vector>

#include "azora/base/thread_role.hpp"
#include "azora/health/prober.hpp"
#include "azora/orchestrator/drive.hpp"
#include "azora/orchestrator/ownership.hpp"

namespace azora::orchestrator {

void on_check_results(Turn& turn, Probing& probing, Ownership& ownership, Drive& drive,
                      const std::vector<health::ProbeResult>& results) AZORA_CONTROL;
// One that was held until it was known whose answer it is.
void on_settled_result(Turn& turn, Probing& probing, Drive& drive, ServiceState& service, health::Check& check,
                       const health::ProbeResult& result) AZORA_CONTROL;

}  // namespace azora::orchestrator
