set(AZORA_LISTENERS_SOURCES decide.cpp look.cpp proc_net.cpp proc_owners.cpp processes.cpp socket_diag.cpp
    socket_holders.cpp)
