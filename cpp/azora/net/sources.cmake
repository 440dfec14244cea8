set(AZORA_NET_SOURCES address.cpp https_client.cpp resolver.cpp)
find_package(CURL 7.85 REQUIRED)
link_libraries(CURL::libcurl)
