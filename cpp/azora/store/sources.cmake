set(AZORA_STORE_SOURCES checked_file.cpp history.cpp history_file.cpp history_reader.cpp log_file.cpp memory_store.cpp page_rows.cpp records.cpp sqlite.cpp
  sqlite_store.cpp state_file.cpp state_folder.cpp state_rows.cpp state_schema.cpp state_tools.cpp store_writer.cpp)
