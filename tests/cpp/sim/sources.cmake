set(AZORA_SIM_TESTS sim_test.cpp)
