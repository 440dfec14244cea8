set(AZORA_HEALTH_TESTS
    body_figures_test.cpp check_cost_test.cpp check_test.cpp connection_test.cpp due_wheel_test.cpp
    evil_server_test.cpp http_head_test.cpp http_lines_test.cpp http_request_test.cpp http_response_test.cpp
    https_probe_test.cpp judge_test.cpp key_slots_test.cpp lane_set_test.cpp lane_test.cpp net_prober_test.cpp
    probe_inbox_test.cpp probe_poll_test.cpp probe_timer_test.cpp prober_cost_test.cpp scheduler_grid_test.cpp
    scheduler_load_test.cpp scheduler_test.cpp timer_wheel_test.cpp tracker_test.cpp)
