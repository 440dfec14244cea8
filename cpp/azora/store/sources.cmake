set(AZORA_STORE_SOURCES memory_store.cpp records.cpp)
