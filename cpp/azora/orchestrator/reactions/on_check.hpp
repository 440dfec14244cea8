#pragma once
// Turns an answer to a check into a verdict, and a verdict into an input for healing.
// Threads: the control thread. Fails: never.
#include <vector>

#include "azora/base/thread_role.hpp"
#include "azora/health/prober.hpp"
#include "azora/orchestrator/drive.hpp"
#include "azora/orchestrator/ownership.hpp"

namespace azora::orchestrator {

void on_check_results(Turn& turn, Probing& probing, Ownership& ownership, Drive& drive,
                      const std::vector<health::ProbeResult>& results) AZORA_CONTROL;
// An answer that was held until it was known whose answer it is.
void on_settled_result(Turn& turn, Probing& probing, Drive& drive, ServiceState& service, health::Check& check,
                       const health::ProbeResult& result) AZORA_CONTROL;

}  // namespace azora::orchestrator
