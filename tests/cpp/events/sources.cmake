set(AZORA_EVENTS_TESTS log_test.cpp)
