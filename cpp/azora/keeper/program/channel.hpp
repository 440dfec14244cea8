#pragma once
// Unix sockets that carry frames, one per message. Nothing here ever waits. Threads: the program has one.
#include <cstddef>
#include <cstdint>

#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

enum class Sent { yes, later, broken, too_large };
Sent send_frame(int fd, const std::uint8_t* frame, std::size_t size);

inline constexpr long kNothing = -1;
inline constexpr long kEnded = 0;
// The size of the frame received, kNothing, or kEnded.
long receive_frame(int fd, std::uint8_t* frame, std::size_t room);

// A negative errno when it is not possible. A socket that no process listens on any more: -ECONNREFUSED.
// What is sent over a connection may be as large as a frame can be, whatever the system's default.
int listen_at(const char* path);
int connect_to(const char* path);

// A connection of our own user (or root), negative when there is none.
int accept_own(int listener);

// What we send first. The texts live as long as the program.
Hello own_hello();

}  // namespace azora::keeper
