set(AZORA_HEALTH_SOURCES
    body_figures.cpp check.cpp http_head.cpp http_request.cpp http_response.cpp judge.cpp lanes/https_lane.cpp lanes/lane_set.cpp lanes/socket_connect.cpp
    lanes/socket_errors.cpp lanes/socket_lane.cpp lanes/table.cpp net_prober.cpp probe_poll.cpp probe_worker.cpp scheduler.cpp tracker.cpp)
