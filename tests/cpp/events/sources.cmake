set(AZORA_EVENTS_TESTS check_memory_test.cpp former_log_test.cpp log_test.cpp reading_test.cpp)
