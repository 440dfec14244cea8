set(AZORA_REGISTRY_SOURCES
  dependency_cycles.cpp
  dependency_graph.cpp
  dependency_orders.cpp
  registry.cpp)
