set(AZORA_STORE_TESTS memory_store_test.cpp records_damage_test.cpp records_test.cpp)
