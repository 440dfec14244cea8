set(AZORA_STORE_TESTS contract_test.cpp fault_vfs.cpp faults_test.cpp history_test.cpp memory_store_test.cpp opening_test.cpp records_damage_test.cpp records_test.cpp
  state_tools_test.cpp torture_test.cpp)
