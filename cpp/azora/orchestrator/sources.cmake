set(AZORA_ORCHESTRATOR_SOURCES
  core.cpp
  explain.cpp
  reactions/drive.cpp
  reactions/on_command.cpp
  reactions/on_probe.cpp
  reactions/on_process.cpp
  view_builder.cpp)
