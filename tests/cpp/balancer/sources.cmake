set(AZORA_BALANCER_TESTS
    concurrent_test.cpp cost_test.cpp ip_hash_test.cpp key_index_test.cpp leases_test.cpp least_connections_test.cpp
    pick_fast_test.cpp pool_numbers_test.cpp pools_test.cpp reclamation_test.cpp round_robin_test.cpp tiers_test.cpp weighted_test.cpp)
