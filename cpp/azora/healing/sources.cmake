set(AZORA_HEALING_SOURCES backoff.cpp end.cpp permit.cpp reports.cpp restored.cpp start.cpp start_bucket.cpp step.cpp transitions.cpp)
