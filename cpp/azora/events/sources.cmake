set(AZORA_EVENTS_SOURCES cursor.cpp log.cpp)
