#include "azora/listeners/socket_diag.hpp"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "azora/base/fd.hpp"

namespace azora::listeners {
namespace {

constexpr std::uint32_t kListening = 1U << TCP_LISTEN;
// Of linux/inet_diag.h since 5.9; headers may be older than the kernel.
constexpr int kCgroupId = 21;
constexpr timeval kPatience{.tv_sec = 2, .tv_usec = 0};

struct Ask {
  nlmsghdr head;
  inet_diag_req_v2 body;
};

bool send_ask(int fd, std::uint8_t family, std::uint16_t port) {
  Ask ask{};
  ask.head.nlmsg_len = sizeof ask;
  ask.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  ask.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  ask.body.sdiag_family = family;
  ask.body.sdiag_protocol = IPPROTO_TCP;
  ask.body.idiag_states = kListening;
  ask.body.id.idiag_sport = htons(port);  // 0 is no filter
  return ::send(fd, &ask, sizeof ask, 0) == static_cast<ssize_t>(sizeof ask);
}

bool read_answers(int fd, std::uint16_t port, std::vector<Listener>& found) {
  alignas(nlmsghdr) std::array<std::byte, 32 * 1024> buffer;
  while (true) {
    const ssize_t size = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    switch (read_dump(std::span(buffer).first(static_cast<std::size_t>(size)), port, found)) {
      case DumpPart::more: continue;
      case DumpPart::end: return true;
      case DumpPart::refused: return false;
    }
  }
}

void read_attributes(std::span<const std::byte> bytes, Listener& listener) {
  while (bytes.size() >= sizeof(nlattr)) {
    nlattr head{};
    std::memcpy(&head, bytes.data(), sizeof head);
    if (head.nla_len < sizeof head || head.nla_len > bytes.size()) return;
    const std::span<const std::byte> value = bytes.first(head.nla_len).subspan(sizeof head);
    if (head.nla_type == INET_DIAG_SKV6ONLY && !value.empty()) listener.only_ipv6 = value.front() != std::byte{0};
    if (head.nla_type == kCgroupId && value.size() >= sizeof listener.cgroup) {
      std::memcpy(&listener.cgroup, value.data(), sizeof listener.cgroup);
    }
    bytes = bytes.subspan(std::min<std::size_t>(bytes.size(), NLMSG_ALIGN(head.nla_len)));
  }
}

// `body`: the content of one message about a socket. Returns false when it is too short for that.
bool read_socket(std::span<const std::byte> body, std::uint16_t port, std::vector<Listener>& found) {
  inet_diag_msg socket{};
  if (body.size() < sizeof socket) return false;
  std::memcpy(&socket, body.data(), sizeof socket);
  const std::uint16_t its = ntohs(socket.id.idiag_sport);
  if (socket.idiag_state != TCP_LISTEN || (port != kAllPorts && its != port)) return true;
  Listener listener{.ipv6 = socket.idiag_family == AF_INET6,
                    .port = its,
                    .inode = socket.idiag_inode,
                    .uid = socket.idiag_uid};
  std::memcpy(listener.address.data(), socket.id.idiag_src, listener.ipv6 ? listener.address.size() : sizeof(in_addr));
  read_attributes(body.subspan(std::min<std::size_t>(body.size(), NLMSG_ALIGN(sizeof socket))), listener);
  found.push_back(listener);
  return true;
}

}  // namespace

DumpPart read_dump(std::span<const std::byte> datagram, std::uint16_t port, std::vector<Listener>& found) {
  while (datagram.size() >= sizeof(nlmsghdr)) {
    nlmsghdr head{};
    std::memcpy(&head, datagram.data(), sizeof head);
    if (head.nlmsg_len < sizeof head || head.nlmsg_len > datagram.size()) return DumpPart::refused;
    if (head.nlmsg_type == NLMSG_DONE) return DumpPart::end;
    if (head.nlmsg_type == NLMSG_ERROR) return DumpPart::refused;
    const std::span<const std::byte> body = datagram.first(head.nlmsg_len).subspan(NLMSG_HDRLEN);
    if (head.nlmsg_type == SOCK_DIAG_BY_FAMILY && !read_socket(body, port, found)) return DumpPart::refused;
    datagram = datagram.subspan(std::min<std::size_t>(datagram.size(), NLMSG_ALIGN(head.nlmsg_len)));
  }
  return DumpPart::more;
}

std::optional<std::vector<Listener>> ask_socket_diag(std::uint16_t port) {
  const Fd fd(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!fd) return std::nullopt;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  std::vector<Listener> found;
  for (const int family : {AF_INET, AF_INET6}) {
    const bool asked = send_ask(fd.get(), static_cast<std::uint8_t>(family), port);
    if (!asked || !read_answers(fd.get(), port, found)) return std::nullopt;
  }
  return found;
}

}  // namespace azora::listeners
