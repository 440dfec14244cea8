#include "azora/listeners/look.hpp"

#include <optional>
#include <utility>
#include <vector>

#include "azora/listeners/decide.hpp"
#include "azora/listeners/proc_net.hpp"
#include "azora/listeners/proc_owners.hpp"
#include "azora/listeners/processes.hpp"
#include "azora/listeners/socket_diag.hpp"

namespace azora::listeners {
namespace {

Answer unverified(std::string reason) { return {.kind = Answer::Kind::unverified, .reason = std::move(reason)}; }

// Our list of sockets says nothing about a process with a network of its own. A process whose network may not be read
// counts as one in ours.
bool has_own_network(int main) {
  const std::optional<std::string> its = read_link("/proc/" + std::to_string(main) + "/ns/net");
  const std::optional<std::string> ours = read_link("/proc/self/ns/net");
  return its && ours && *its != *ours;
}

}  // namespace

Answer look(const Question& question, SocketHolders& holders) {
  if (question.main > 0 && has_own_network(question.main)) {
    return unverified("its process has a network namespace of its own");
  }
  std::optional<std::vector<Listener>> found = ask_socket_diag(question.port);
  if (!found) found = read_proc_net(question.port);
  if (!found) return unverified("the kernel's list of sockets cannot be read");
  ProcOwners owners(question.main, holders);
  return decide(question, *found, owners);
}

}  // namespace azora::listeners
