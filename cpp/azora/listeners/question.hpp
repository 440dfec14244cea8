#pragma once
// Whose listener answers at a local address: the question, and what the kernel says to it (R52).
// Threads: any; values. Fails: never.
#include <cstdint>
#include <string>

#include "azora/model/local_address.hpp"

namespace azora::listeners {

struct Question {
  LocalAddress address;
  std::uint16_t port = 0;
  int main = 0;  // pid of the main process of the service; 0: nothing of it runs
};

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
};

// "port 7001 is held by pid 123 (python3), not by this service"
std::string foreign_text(std::uint16_t port, const std::string& holder);

}  // namespace azora::listeners
