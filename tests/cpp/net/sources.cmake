set(AZORA_NET_TESTS address_test.cpp answer_body_test.cpp https_head_test.cpp resolver_test.cpp)
