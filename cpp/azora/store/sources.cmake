set(AZORA_STORE_SOURCES checked_file.cpp log_file.cpp memory_store.cpp records.cpp sqlite.cpp sqlite_store.cpp
  state_file.cpp state_folder.cpp state_schema.cpp store_writer.cpp)
