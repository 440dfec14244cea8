set(AZORA_KEEPER_SOURCES
    client.cpp client_birth.cpp client_folder.cpp client_ledger.cpp client_link.cpp client_worker.cpp env_file.cpp
    environment.cpp launch_frame.cpp log_reader.cpp protocol.cpp start_failure.cpp usage.cpp)
