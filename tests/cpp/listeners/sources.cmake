set(AZORA_LISTENERS_TESTS change_test.cpp decide_test.cpp hosts_file_test.cpp look_test.cpp proc_net_test.cpp socket_diag_test.cpp)
