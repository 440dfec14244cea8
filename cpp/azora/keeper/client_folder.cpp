#include "azora/keeper/client_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

#include "azora/keeper/protocol.hpp"

namespace azora::keeper {
namespace {

Error system_error(const std::string& what) {
  return Error{ErrorCode::keeper_failed, what + ": " + std::generic_category().message(errno)};
}

// By way of the descriptor: a socket's path may have at most 107 characters, a folder's any number.
bool socket_address(const Fd& folder, sockaddr_un* address) {
  *address = {};
  address->sun_family = AF_UNIX;
  const std::string path = "/proc/self/fd/" + std::to_string(folder.get()) + "/" + kKeeperSocket;
  if (path.size() >= sizeof address->sun_path) return false;
  std::memcpy(address->sun_path, path.c_str(), path.size() + 1);
  return true;
}

Fd make_socket() { return Fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); }

}  // namespace

Result<RuntimeFolder> RuntimeFolder::make(const std::string& parent, const std::string& preferred) {
  std::vector<std::string> places;
  if (!parent.empty()) {
    places.push_back(parent);
  } else {
    if (preferred.starts_with('/')) places.push_back(preferred);
    places.emplace_back("/tmp");
  }
  Error error;
  for (const std::string& place : places) {
    std::string path = place + "/azora-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) {  // 0700
      error = system_error("no private folder can be made in \"" + place + "\"");
      continue;
    }
    RuntimeFolder folder;
    folder.path_ = path;
    folder.fd_ = Fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.fd_) return system_error("\"" + path + "\" cannot be opened");
    ::flock(folder.fd_.get(), LOCK_SH | LOCK_NB);  // the sign for cleaners of /tmp that it is in use
    return folder;
  }
  return error;
}

Result<Fd> RuntimeFolder::listen_for_keeper() const {
  constexpr int kBacklog = 16;
  sockaddr_un address;
  Fd socket = make_socket();
  if (!socket) return system_error("no socket for the keeper");
  ::unlinkat(fd_.get(), kKeeperSocket, 0);
  if (!socket_address(fd_, &address) ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0 ||
      ::listen(socket.get(), kBacklog) < 0) {
    return system_error("the keeper's socket cannot be made in \"" + path_ + "\"");
  }
  return socket;
}

Result<Fd> RuntimeFolder::connect_to_keeper() const {
  sockaddr_un address;
  Fd socket = make_socket();
  if (!socket) return system_error("no socket for the keeper");
  if (!socket_address(fd_, &address) ||
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    return system_error("the keeper's socket in \"" + path_ + "\" does not answer");
  }
  return socket;
}

void RuntimeFolder::remove() {
  if (path_.empty()) return;
  fd_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
  path_.clear();
}

}  // namespace azora::keeper
