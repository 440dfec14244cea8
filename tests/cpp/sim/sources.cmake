set(AZORA_SIM_TESTS sim_test.cpp simulation.cpp watcher.cpp)
