set(AZORA_KEEPER_TESTS
    program_life_test.cpp program_rig.cpp)
