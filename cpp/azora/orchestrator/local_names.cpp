#include "azora/orchestrator/local_names.hpp"

#include <optional>
#include <utility>

#include "azora/listeners/hosts_file.hpp"
#include "azora/listeners/question.hpp"

namespace azora::orchestrator {
namespace {

void note(registry::LocalNames& names, const std::string& host) {
  if (!local_address(host) && listeners::is_name(host)) names.try_emplace(host);
}

void note(registry::LocalNames& names, const std::vector<SpecPtr>& services) {
  for (const SpecPtr& service : services) {
    if (service->endpoint) note(names, service->target.host);
  }
}

registry::LocalNames looked_up(registry::LocalNames names) {
  if (names.empty()) return names;
  const std::optional<std::string> text = listeners::hosts_text();
  for (auto& [name, address] : names) {
    if (text) address = listeners::loopback_in(*text, name);
  }
  return names;
}

}  // namespace

registry::LocalNames local_names(const std::vector<SpecPtr>& services, const std::string& more) {
  registry::LocalNames names;
  note(names, services);
  note(names, more);
  return looked_up(std::move(names));
}

registry::LocalNames local_names(const std::vector<Request>& requests) {
  registry::LocalNames names;
  for (const Request& request : requests) note(names, request.specs);
  return looked_up(std::move(names));
}

}  // namespace azora::orchestrator
