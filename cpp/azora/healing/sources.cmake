set(AZORA_HEALING_SOURCES backoff.cpp permit.cpp start_bucket.cpp step.cpp)
