set(AZORA_ACTIONS_SOURCES process.cpp)
