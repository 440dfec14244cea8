set(AZORA_ORCHESTRATOR_TESTS core_test.cpp file_stamp_test.cpp list_bodies_test.cpp orchestrator_test.cpp probing_test.cpp promises_test.cpp scale_test.cpp ../support/allocations.cpp verbs_test.cpp)
