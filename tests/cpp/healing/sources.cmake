set(AZORA_HEALING_TESTS backoff_test.cpp callback_test.cpp permit_test.cpp search_test.cpp step_test.cpp)
