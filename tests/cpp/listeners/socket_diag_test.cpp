// What the kernel's dump of sockets is read as, also when it is damaged.
#include "azora/listeners/socket_diag.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstring>

namespace azora::listeners {
namespace {

constexpr int kCgroupId = 21;

class Datagram {
 public:
  Datagram& message(std::uint16_t type, const std::vector<std::byte>& body) {
    nlmsghdr head{};
    head.nlmsg_len = static_cast<std::uint32_t>(NLMSG_HDRLEN + body.size());
    head.nlmsg_type = type;
    append(&head, sizeof head);
    append(body.data(), body.size());
    bytes_.resize(NLMSG_ALIGN(bytes_.size()));
    return *this;
  }
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  void append(const void* from, std::size_t size) {
    const auto* begin = static_cast<const std::byte*>(from);
    bytes_.insert(bytes_.end(), begin, begin + size);
  }
  std::vector<std::byte> bytes_;
};

void add_attribute(std::vector<std::byte>& body, int type, const void* value, std::size_t size) {
  nlattr head{};
  head.nla_len = static_cast<std::uint16_t>(sizeof head + size);
  head.nla_type = static_cast<std::uint16_t>(type);
  const std::size_t at = body.size();
  body.resize(at + NLMSG_ALIGN(sizeof head + size));
  std::memcpy(body.data() + at, &head, sizeof head);
  std::memcpy(body.data() + at + sizeof head, value, size);
}

std::vector<std::byte> socket(std::uint8_t family, std::uint16_t port, std::uint32_t inode, std::uint8_t state = TCP_LISTEN) {
  inet_diag_msg message{};
  message.idiag_family = family;
  message.idiag_state = state;
  message.id.idiag_sport = htons(port);
  message.id.idiag_src[0] = htonl(0x7f000001);
  message.idiag_inode = inode;
  message.idiag_uid = 33;
  std::vector<std::byte> body(sizeof message);
  std::memcpy(body.data(), &message, sizeof message);
  return body;
}

TEST(SocketDiag, R52ReadsListenersOfThePortWithTheirAttributes) {
  std::vector<std::byte> ipv6 = socket(AF_INET6, 7001, 12);
  const std::uint8_t only = 1;
  const std::uint64_t cgroup = 0x1234'5678'9abc;
  add_attribute(ipv6, INET_DIAG_SKV6ONLY, &only, sizeof only);
  add_attribute(ipv6, kCgroupId, &cgroup, sizeof cgroup);
  Datagram datagram;
  datagram.message(SOCK_DIAG_BY_FAMILY, socket(AF_INET, 7001, 11))
      .message(SOCK_DIAG_BY_FAMILY, ipv6)
      .message(SOCK_DIAG_BY_FAMILY, socket(AF_INET, 7002, 13))
      .message(SOCK_DIAG_BY_FAMILY, socket(AF_INET, 7001, 14, TCP_ESTABLISHED));
  std::vector<Listener> found;
  EXPECT_EQ(read_dump(datagram.bytes(), 7001, found), DumpPart::more);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].inode, 11U);
  EXPECT_EQ(found[0].uid, 33U);
  EXPECT_EQ(found[0].address[0], 127);
  EXPECT_EQ(found[0].cgroup, 0U);
  EXPECT_EQ(found[1].inode, 12U);
  EXPECT_TRUE(found[1].ipv6 && found[1].only_ipv6);
  EXPECT_EQ(found[1].cgroup, cgroup);
}

TEST(SocketDiag, R52KnowsItsEndAndARefusal) {
  std::vector<Listener> found;
  EXPECT_EQ(read_dump(Datagram().message(NLMSG_DONE, std::vector<std::byte>(4)).bytes(), 7001, found), DumpPart::end);
  EXPECT_EQ(read_dump(Datagram().message(NLMSG_ERROR, std::vector<std::byte>(20)).bytes(), 7001, found),
            DumpPart::refused);
  EXPECT_EQ(read_dump({}, 7001, found), DumpPart::more);
}

TEST(SocketDiag, DamagedMessagesAreRefusedAndNothingBehindThemIsRead) {
  std::vector<std::byte> attributed = socket(AF_INET6, 7001, 12);
  const std::uint64_t cgroup = 7;
  add_attribute(attributed, kCgroupId, &cgroup, sizeof cgroup);
  Datagram whole;
  whole.message(SOCK_DIAG_BY_FAMILY, attributed);
  for (std::size_t size = sizeof(nlmsghdr); size < whole.bytes().size(); ++size) {
    std::vector<Listener> found;
    const std::vector<std::byte> cut(whole.bytes().begin(), whole.bytes().begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(read_dump(cut, 7001, found), DumpPart::refused) << size;
    EXPECT_TRUE(found.empty()) << size;
  }
  // A body that is none, and an attribute that claims to be longer than its message.
  std::vector<Listener> found;
  EXPECT_EQ(read_dump(Datagram().message(SOCK_DIAG_BY_FAMILY, std::vector<std::byte>(8)).bytes(), 7001, found),
            DumpPart::refused);
  const std::uint16_t too_long = 5'000;
  std::memcpy(attributed.data() + sizeof(inet_diag_msg), &too_long, sizeof too_long);
  Datagram lying;
  lying.message(SOCK_DIAG_BY_FAMILY, attributed);
  EXPECT_EQ(read_dump(lying.bytes(), 7001, found), DumpPart::more);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].cgroup, 0U);
}

}  // namespace
}  // namespace azora::listeners
