set(AZORA_LISTENERS_SOURCES change.cpp decide.cpp hosts_file.cpp look.cpp proc_net.cpp proc_owners.cpp processes.cpp question.cpp socket_diag.cpp
    socket_holders.cpp)
