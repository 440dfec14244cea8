set(AZORA_MODEL_SOURCES event.cpp iso_time.cpp json_writer.cpp signals.cpp utf8.cpp view.cpp)
