set(AZORA_HEALTH_SOURCES
    body_figures.cpp http_request.cpp http_response.cpp judge.cpp net_prober.cpp
    probe_worker.cpp scheduler.cpp socket_probes.cpp tracker.cpp)
