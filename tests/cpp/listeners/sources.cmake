set(AZORA_LISTENERS_TESTS decide_test.cpp look_test.cpp proc_net_test.cpp socket_diag_test.cpp)
