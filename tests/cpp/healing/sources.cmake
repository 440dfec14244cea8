set(AZORA_HEALING_TESTS adopt_test.cpp backoff_test.cpp budget_test.cpp explained_test.cpp not_owned_test.cpp permit_test.cpp
    policy_test.cpp restraint_test.cpp start_test.cpp stop_test.cpp)
