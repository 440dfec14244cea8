set(AZORA_KEEPER_SOURCES
    env_file.cpp launch_frame.cpp protocol.cpp)
