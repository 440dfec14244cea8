set(AZORA_EVENTS_SOURCES check_memory.cpp cursor.cpp log.cpp reading.cpp)
