set(AZORA_KEEPER_SOURCES
    accounts.cpp client.cpp client_commands.cpp client_connection.cpp client_folder.cpp client_inbox.cpp
    client_ledger.cpp client_ledger_entry.cpp client_ledger_reports.cpp client_link.cpp client_lookups.cpp
    client_place.cpp client_spawn.cpp client_worker.cpp env_expand.cpp env_file.cpp environment.cpp
    frame_fields.cpp launch_frame.cpp launch_hash.cpp log_follower.cpp log_reader.cpp log_text.cpp protocol.cpp
    start_failure.cpp usage.cpp)
