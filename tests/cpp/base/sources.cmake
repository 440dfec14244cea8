set(AZORA_BASE_TESTS asio_loop_test.cpp cow_table_test.cpp error_test.cpp persistent_map_test.cpp)
