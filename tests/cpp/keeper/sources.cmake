set(AZORA_KEEPER_TESTS
    client_adopt_test.cpp client_commands_test.cpp client_end_test.cpp client_failure_test.cpp
    client_ledger_test.cpp client_life_test.cpp client_link_test.cpp client_place_test.cpp env_expand_test.cpp
    env_file_test.cpp env_files_test.cpp environment_test.cpp fleet_records_test.cpp log_follower_test.cpp
    log_index_test.cpp log_reader_test.cpp loss_report_test.cpp program_attach_test.cpp program_end_test.cpp
    program_life_test.cpp program_log_file_test.cpp program_log_loss_test.cpp program_log_test.cpp
    program_lost_test.cpp program_memory_test.cpp program_rig.cpp program_spawn_test.cpp
    program_wrapper_test.cpp protocol_test.cpp retry_timer_test.cpp shim_end_test.cpp usage_test.cpp)
