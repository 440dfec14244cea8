set(AZORA_NET_SOURCES address.cpp https_client.cpp https_head.cpp https_transfer.cpp resolver.cpp)
