#include "azora/listeners/look.hpp"

#include <optional>
#include <utility>
#include <vector>

#include "azora/listeners/decide.hpp"
#include "azora/listeners/hosts_file.hpp"
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

std::optional<std::vector<Listener>> listeners_on(std::uint16_t port) {
  std::optional<std::vector<Listener>> found = ask_socket_diag(port);
  return found ? std::move(found) : read_proc_net(port);
}

}  // namespace

Answer look(const Question& given, SocketHolders& holders) {
  Question question = given;
  if (!question.name.empty()) {
    const std::optional<LocalAddress> address = loopback_of(question.name);
    if (!address) return unverified("/etc/hosts has no loopback address for the name " + question.name);
    question.address = *address;
  }
  if (question.main > 0 && has_own_network(question.main)) {
    return unverified("its process has its own network namespace");
  }
  const std::optional<std::vector<Listener>> found = listeners_on(question.port);
  if (!found) return unverified("the kernel's list of sockets cannot be read");
  ProcOwners owners(question.main, holders);
  Answer answer = decide(question, *found, owners);
  answer.sockets = fingerprint(*found);
  return answer;
}

std::vector<Seen> find_changed(const std::vector<Seen>& seen) {
  const std::optional<std::vector<Listener>> all = listeners_on(kAllPorts);
  return all ? changed(seen, *all) : std::vector<Seen>();
}

}  // namespace azora::listeners
