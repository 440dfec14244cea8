#pragma once
// Unix sockets that carry frames, one per message. Nothing here ever waits. Threads: the program has one.
#include <cstddef>
#include <cstdint>

#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

enum class Sent { yes, later, broken };
Sent send_frame(int fd, const std::uint8_t* frame, std::size_t size);

inline constexpr long kNothing = -1;
inline constexpr long kEnded = 0;
// The size of the frame received, kNothing, or kEnded.
long receive_frame(int fd, std::uint8_t* frame, std::size_t room);

// A negative errno when it is not possible. A socket nobody listens on any more: -ECONNREFUSED.
int listen_at(const char* path);
int connect_to(const char* path);

// A connection of our own user (or root), negative when there is none.
int accept_own(int listener);

// What we say first. The texts live as long as the program.
Hello own_hello();

}  // namespace azora::keeper
