set(AZORA_ORCHESTRATOR_TESTS core_test.cpp)
