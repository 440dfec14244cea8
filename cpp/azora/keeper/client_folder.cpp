#include "azora/keeper/client_folder.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "azora/keeper/protocol.hpp"
#include "azora/keeper/system_words.hpp"

namespace azora::keeper {
namespace {

constexpr const char* kLockFile = "orchestrator";  // holds the pid of the one that has the lock

Error system_error(const std::string& what) {
  return Error{ErrorCode::keeper_failed, what + ": " + system_words(errno)};
}

// Goes by the descriptor: the path of a socket may have at most 107 characters, that of a folder any number.
bool socket_address(const Fd& folder, sockaddr_un* address) {
  *address = {};
  address->sun_family = AF_UNIX;
  const std::string path = "/proc/self/fd/" + std::to_string(folder.get()) + "/" + kKeeperSocket;
  if (path.size() >= sizeof address->sun_path) return false;
  std::memcpy(address->sun_path, path.c_str(), path.size() + 1);
  return true;
}

// Its buffer is large enough for every frame: beyond the system's limit if we have the right to that, else up to it.
Fd make_socket() {
  Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int room = kFrameBuffer;
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) < 0) {
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  }
  return socket;
}

}  // namespace

Result<RuntimeFolder> RuntimeFolder::make(const std::string& parent, const std::string& fallback) {
  std::vector<std::string> places;
  if (!parent.empty()) {
    places.push_back(parent);
  } else {
    places.emplace_back("/tmp");
    if (fallback.starts_with('/')) places.push_back(fallback);
  }
  Error error;
  for (const std::string& place : places) {
    std::string path = place + "/azora-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) {  // 0700
      error = system_error("a private folder cannot be created in \"" + place + "\"");
      continue;
    }
    return opened(path);
  }
  return error;
}

Result<RuntimeFolder> RuntimeFolder::open(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) < 0 && errno != EEXIST) {
    return system_error("the folder \"" + path + "\" cannot be created");
  }
  Result<RuntimeFolder> folder = opened(path);
  if (!folder) return folder;
  struct stat info {};
  if (::fstat(folder.value().fd_.get(), &info) < 0) return system_error("\"" + path + "\" cannot be opened");
  if (info.st_uid != ::geteuid() || (info.st_mode & 077) != 0) {
    return Error{ErrorCode::keeper_failed,
                 "the folder \"" + path + "\" must belong to this user and be private (chmod 700)"};
  }
  folder.value().given_ = true;
  if (Result<void> locked = folder.value().lock(); !locked) return std::move(locked).error();
  return folder;
}

Result<RuntimeFolder> RuntimeFolder::opened(const std::string& path) {
  RuntimeFolder folder;
  folder.path_ = path;
  folder.fd_ = Fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.fd_) return system_error("\"" + path + "\" cannot be opened");
  ::flock(folder.fd_.get(), LOCK_SH | LOCK_NB);  // shows cleaners of /tmp that it is in use
  return folder;
}

// The lock belongs to the open file description: it ends with the last process that holds it, whatever else is closed.
Result<void> RuntimeFolder::lock() {
  lock_ = Fd(::openat(fd_.get(), kLockFile, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock_) return system_error("\"" + path_ + "/" + kLockFile + "\" cannot be opened");
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (::fcntl(lock_.get(), F_OFD_SETLK, &whole) < 0) {
    if (errno != EAGAIN && errno != EACCES) return system_error("\"" + path_ + "\" cannot be locked");
    std::array<char, 32> digits{};
    [[maybe_unused]] const ssize_t size = ::pread(lock_.get(), digits.data(), digits.size() - 1, 0);
    const pid_t owner = static_cast<pid_t>(std::atol(digits.data()));
    const bool ended = owner > 0 && ::kill(owner, 0) < 0 && errno == ESRCH;
    return Error{ErrorCode::keeper_failed, "the folder \"" + path_ + "\" is used by another orchestrator, process " +
                                               std::to_string(owner) +
                                               (ended ? " (which has ended, but not a process forked from it)" : "") +
                                               "; stop that one or use another folder"};
  }
  const std::string own = std::to_string(::getpid());
  if (::ftruncate(lock_.get(), 0) < 0 || ::pwrite(lock_.get(), own.data(), own.size(), 0) < 0) {
    return system_error("\"" + path_ + "/" + kLockFile + "\" cannot be written");
  }
  return {};
}

bool RuntimeFolder::has_shims() const {
  if (path_.empty()) return false;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(path_, ignored)) {
    if (std::filesystem::exists(entry.path() / kShimSocket, ignored)) return true;
  }
  return false;
}

bool RuntimeFolder::is_lost() const {
  struct stat held {};
  struct stat named {};
  if (!fd_ || ::fstat(fd_.get(), &held) < 0) return false;
  return ::stat(path_.c_str(), &named) < 0 || named.st_ino != held.st_ino || named.st_dev != held.st_dev;
}

Result<Fd> RuntimeFolder::listen_for_keeper() const {
  constexpr int kBacklog = 16;
  sockaddr_un address;
  Fd socket = make_socket();
  if (!socket) return system_error("a socket for the keeper cannot be created");
  ::unlinkat(fd_.get(), kKeeperSocket, 0);
  ::fchmod(socket.get(), 0600);  // bind gives its file the mode of the socket: no umask of ours decides who may connect
  if (!socket_address(fd_, &address) ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0 ||
      ::listen(socket.get(), kBacklog) < 0) {
    return system_error("the keeper's socket cannot be created in \"" + path_ + "\"");
  }
  return socket;
}

Result<Fd> RuntimeFolder::connect_to_keeper() const {
  sockaddr_un address;
  Fd socket = make_socket();
  if (!socket) return system_error("a socket for the keeper cannot be created");
  if (!socket_address(fd_, &address) ||
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    return system_error("the keeper's socket in \"" + path_ + "\" does not answer");
  }
  return socket;
}

void RuntimeFolder::remove() {
  if (path_.empty()) return;
  lock_.reset();
  fd_.reset();
  if (given_) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
  path_.clear();
}

}  // namespace azora::keeper
