set(AZORA_HEALTH_SOURCES judge.cpp scheduler.cpp tracker.cpp)
