set(AZORA_HEALTH_SOURCES body_figures.cpp http_request.cpp http_response.cpp judge.cpp scheduler.cpp tracker.cpp)
