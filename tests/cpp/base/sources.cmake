set(AZORA_BASE_TESTS asio_loop_test.cpp cow_table_test.cpp error_test.cpp per_thread_test.cpp
    interned_test.cpp one_or_more_test.cpp persistent_map_test.cpp serial_map_test.cpp snapshot_cell_test.cpp thread_role_test.cpp
    thread_test.cpp)
