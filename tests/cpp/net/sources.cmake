set(AZORA_NET_TESTS address_test.cpp resolver_test.cpp)
