set(AZORA_HEALTH_TESTS judge_test.cpp probe_timer_test.cpp scheduler_test.cpp tracker_test.cpp)
