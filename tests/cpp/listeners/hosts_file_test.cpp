// Which loopback address a hosts file gives to a name, and which hosts are names.
#include "azora/listeners/hosts_file.hpp"

#include <gtest/gtest.h>

#include "azora/listeners/question.hpp"

namespace azora::listeners {
namespace {

using Kind = LocalAddress::Kind;

constexpr std::string_view kHosts =
    "# a comment with myhost\n"
    "127.0.0.1\tlocalhost\n"
    "127.0.1.1   myhost.example.org MyHost # 127.0.0.9 other\n"
    "\n"
    "::1 six both\n"
    "127.0.0.5 both\r\n"
    "127.0.0.6 both\n"
    "192.0.2.7 far\n"
    "0.0.0.0 blocked\n"
    "::1";

TEST(HostsFile, ANameHasTheFirstIpv4AddressOrElseThatOfIpv6) {
  EXPECT_EQ(loopback_in(kHosts, "myhost"), (LocalAddress{Kind::ipv4, 0x7f000101}));
  EXPECT_EQ(loopback_in(kHosts, "MYHOST.example.ORG"), (LocalAddress{Kind::ipv4, 0x7f000101}));
  EXPECT_EQ(loopback_in(kHosts, "myhost."), (LocalAddress{Kind::ipv4, 0x7f000101}));
  EXPECT_EQ(loopback_in(kHosts, "six"), LocalAddress{Kind::ipv6});
  EXPECT_EQ(loopback_in(kHosts, "both"), (LocalAddress{Kind::ipv4, 0x7f000005}));
}

TEST(HostsFile, OtherNamesHaveNone) {
  for (const char* name : {"far", "blocked", "other", "example", "myhos", "myhost1", "a", "", ".", "comment"}) {
    EXPECT_EQ(loopback_in(kHosts, name), std::nullopt) << name;
  }
  EXPECT_EQ(loopback_in("", "myhost"), std::nullopt);
}

TEST(HostsFile, OnlyLoopbackAddressesAndNamesAreAskedAbout) {
  EXPECT_EQ(question_about("127.0.0.2", 80, 7)->address, (LocalAddress{Kind::ipv4, 0x7f000002}));
  EXPECT_EQ(question_about("127.0.0.2", 80, 7)->name, "");
  EXPECT_EQ(question_about("LocalHost", 80, 7)->address, LocalAddress{Kind::localhost});
  EXPECT_EQ(question_about("myhost", 80, 7)->name, "myhost");
  EXPECT_EQ(question_about("7.of.example.org", 80, 7)->name, "7.of.example.org");
  for (const char* host : {"192.0.2.1", "10.1", "3232235777", "0xc0a80101", "fe80::1", "2001:db8::1"}) {
    EXPECT_FALSE(question_about(host, 80, 7)) << host;
  }
}

}  // namespace
}  // namespace azora::listeners
