#pragma once
// Names of services. A user registers an entry, "orders"; with replicas it stands for several services, its instances
// "orders@0", "orders@1" and so on. Only this file knows how such a name is written.
// Threads: any; pure functions. Fails: never.
#include <optional>
#include <string>
#include <string_view>

namespace azora {

inline constexpr int kMostReplicas = 1000;

// "orders" and 2 -> "orders@2".
std::string instance_id(std::string_view entry, int index);
// 2 for "orders@2"; nullopt for the name of an entry, and for what is not a name at all.
std::optional<int> instance_index(std::string_view id);
// "orders" for "orders@2" and for "orders".
std::string_view entry_of(std::string_view id);
// True for "orders" and "orders@2", false for "orders@02" or "@2".
bool is_service_id(std::string_view text);
// True if a question about `name` is also a question about the service `id`: they are equal, or `id` is an instance of
// the entry `name`.
bool names_service(std::string_view name, std::string_view id);

}  // namespace azora
