#include "azora/keeper/program/channel.hpp"

#include <errno.h>

#include "azora/keeper/program/sys.hpp"
#include "azora/keeper/program/text.hpp"

namespace azora::keeper {
namespace {

constexpr int kBacklog = 16;

bool address_of(const char* path, sockaddr_un* address) {
  *address = {};
  address->sun_family = AF_UNIX;
  const std::size_t size = size_of(path);
  if (size == 0 || size >= sizeof address->sun_path) return false;
  for (std::size_t i = 0; i < size; ++i) address->sun_path[i] = path[i];
  return true;
}

int closed(int fd, long error) {
  sys::close(fd);
  return static_cast<int>(error);
}

}  // namespace

Sent send_frame(int fd, const std::uint8_t* frame, std::size_t size) {
  const long sent = sys::send(fd, frame, size);
  if (sent == static_cast<long>(size)) return Sent::yes;
  if (sent == -EMSGSIZE) return Sent::too_large;
  return sent == -EAGAIN || sent == -ENOBUFS || sent == -ENOMEM ? Sent::later : Sent::broken;
}

long receive_frame(int fd, std::uint8_t* frame, std::size_t room) {
  long size = sys::receive(fd, frame, room);
  // The peer closed before it had read all that we sent: what it sent before can still be read.
  if (size == -ECONNRESET) size = sys::receive(fd, frame, room);
  if (size == -EAGAIN || size == -EINTR) return kNothing;
  return size > 0 ? size : kEnded;
}

int listen_at(const char* path) {
  sockaddr_un address;
  if (!address_of(path, &address)) return -ENAMETOOLONG;
  const int fd = sys::socket();
  if (fd < 0) return fd;
  sys::unlink(path);
  long failed = sys::bind(fd, &address);
  if (failed == 0) failed = sys::listen(fd, kBacklog);
  return failed < 0 ? closed(fd, failed) : fd;
}

int connect_to(const char* path) {
  sockaddr_un address;
  if (!address_of(path, &address)) return -ENAMETOOLONG;
  const int fd = sys::socket();
  if (fd < 0) return fd;
  const int room = kFrameBuffer;
  // With the right to it beyond the limit of the system, else up to that limit.
  if (sys::set_socket_option(fd, SO_SNDBUFFORCE, room) < 0) sys::set_socket_option(fd, SO_SNDBUF, room);
  const long failed = sys::connect(fd, &address);
  return failed < 0 ? closed(fd, failed) : fd;
}

int accept_own(int listener) {
  const int fd = sys::accept(listener);
  if (fd < 0) return fd;
  ucred peer{};
  unsigned size = sizeof peer;
  if (sys::socket_option(fd, SO_PEERCRED, &peer, &size) < 0) return closed(fd, -EACCES);
  if (peer.uid != 0 && peer.uid != sys::own_uid()) return closed(fd, -EACCES);
  return fd;
}

Hello own_hello() {
  static char boot_id[40];
  if (boot_id[0] == 0) {
    const int fd = sys::open("/proc/sys/kernel/random/boot_id", O_RDONLY);
    if (fd >= 0) sys::read(fd, boot_id, 36);
    sys::close(fd);
  }
  Hello hello;
  hello.pid = sys::own_pid();
  hello.build_id = {kBuildId, sizeof kBuildId - 1};
  hello.boot_id = {boot_id, static_cast<std::uint32_t>(size_of(boot_id))};
  return hello;
}

}  // namespace azora::keeper
