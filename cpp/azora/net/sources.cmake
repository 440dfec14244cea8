set(AZORA_NET_SOURCES address.cpp https_client.cpp resolver.cpp)
