#include "azora/net/address.hpp"

#include <gtest/gtest.h>

namespace azora::net {
namespace {

TEST(Address, ParsesPlainNumericHostsOnly) {
  for (const char* host : {"127.0.0.1", "10.1.2.3", "::1", "2001:db8::7", "::ffff:1.2.3.4"}) {
    EXPECT_TRUE(Address::parse(host, 1)) << host;
  }
  for (const char* host : {"", "localhost", "127.1", "0177.0.0.1", "0x7f.0.0.1", "2130706433", "127.0.0.1.", "1.2.3.4.5",
                           "256.1.1.1", "[::1]", "fe80::1%lo", "127.0.0.1:80"}) {
    EXPECT_FALSE(Address::parse(host, 1)) << host;
  }
}

TEST(Address, KnowsLoopbackAndWhatIsNeverProbed) {
  for (const char* host : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(Address::parse(host, 1)->is_loopback()) << host;
    EXPECT_FALSE(Address::parse(host, 1)->is_forbidden()) << host;
  }
  for (const char* host : {"169.254.169.254", "169.254.0.1", "::ffff:169.254.169.254", "fe80::1", "febf::1", "fd00:ec2::254",
                           "100.100.100.200", "168.63.129.16"}) {
    EXPECT_TRUE(Address::parse(host, 1)->is_forbidden()) << host;
  }
  for (const char* host : {"10.0.0.1", "192.168.1.1", "169.253.1.1", "fd00::1", "8.8.8.8", "fec0::1"}) {
    EXPECT_FALSE(Address::parse(host, 1)->is_forbidden()) << host;
    EXPECT_FALSE(Address::parse(host, 1)->is_loopback()) << host;
  }
}

TEST(Address, ComparesWithItsPortAndPrintsWithout) {
  EXPECT_EQ(Address::parse("127.0.0.1", 0)->with_port(80), *Address::parse("127.0.0.1", 80));
  EXPECT_FALSE(*Address::parse("127.0.0.1", 81) == *Address::parse("127.0.0.1", 80));
  EXPECT_EQ(Address::parse("2001:DB8::0:7", 80)->text(), "2001:db8::7");
}

}  // namespace
}  // namespace azora::net
