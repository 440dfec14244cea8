set(AZORA_REGISTRY_SOURCES
  address_book.cpp
  dependency_cycles.cpp
  dependency_graph.cpp
  dependency_orders.cpp
  registry.cpp)
