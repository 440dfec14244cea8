#pragma once
// Whose listener answers at a local address: the question, and what the kernel says to it (R52).
// Threads: any; values. Fails: never.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "azora/model/local_address.hpp"

namespace azora::listeners {

struct Question {
  LocalAddress address = {};
  std::uint16_t port = 0;
  int main = 0;           // pid of the main process of the service; 0: nothing of it runs
  std::string name = {};  // the host is this name, and /etc/hosts may know its address (hosts_file.hpp); "": `address`
};

// An address of another machine, or of a network card of this one, has only digits, dots and colons (and x and letters
// in the hexadecimal spellings that begin with 0x). A name has a letter elsewhere; its last part is no number.
bool is_name(std::string_view host);

// nullopt: `host` is an address of another machine, or of a network card, which belongs to no service.
std::optional<Question> question_about(std::string_view host, std::uint16_t port, int main);

struct Answer {
  enum class Kind : std::uint8_t {
    ours,         // a process of the service listens where a client would arrive
    foreign,      // only other programs do
    no_listener,  // no program listens there
    unverified,   // the kernel could not be asked
  };
  Kind kind = Kind::unverified;
  std::string holder;  // foreign: "pid 123 (python3)"
  std::string beside;  // ours: other programs that listen there, too, in the same form; empty: none
  std::string reason;  // unverified: why
  std::optional<std::uint64_t> sockets = {};  // fingerprint() of what listens on the port; nullopt: it is not known
};

// "port 7001 is held by pid 123 (python3), not by this service"
std::string foreign_text(std::uint16_t port, const std::string& holder);

}  // namespace azora::listeners
