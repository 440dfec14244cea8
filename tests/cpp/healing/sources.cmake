set(AZORA_HEALING_TESTS adopt_test.cpp backoff_test.cpp not_owned_test.cpp permit_test.cpp restraint_test.cpp search.cpp
    search_test.cpp step_test.cpp transitions_test.cpp)
