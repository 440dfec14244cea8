set(AZORA_ACTIONS_TESTS callable_test.cpp process_test.cpp)
