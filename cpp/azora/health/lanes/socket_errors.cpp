#include "azora/health/lanes/socket_errors.hpp"

#include <cerrno>

namespace azora::health {

bool is_shortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM || error == EADDRNOTAVAIL ||
         error == EAGAIN || error == ENOSPC;
}

std::string socket_error_words(int error) {
  switch (error) {
    case ECONNREFUSED: return "connection refused";
    case ECONNRESET:
    case EPIPE: return "connection reset";
    case EHOSTUNREACH: return "host unreachable";
    case ENETUNREACH: return "network unreachable";
    case ETIMEDOUT: return "connection timed out";
    case EACCES:
    case EPERM: return "connection not permitted";
    case EMFILE:
    case ENFILE: return "the check could not be made: no file descriptors left";
    case EADDRNOTAVAIL:
    case EAGAIN: return "the check could not be made: no local port left";
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC: return "the check could not be made: no memory left";
    default: return "no connection (errno " + std::to_string(error) + ")";
  }
}

}  // namespace azora::health
