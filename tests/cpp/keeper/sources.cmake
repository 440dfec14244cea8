set(AZORA_KEEPER_TESTS
    program_attach_test.cpp program_end_test.cpp program_life_test.cpp program_lost_test.cpp program_rig.cpp)
