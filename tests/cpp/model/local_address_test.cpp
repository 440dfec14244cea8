#include "azora/model/local_address.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace azora {
namespace {

using Kind = LocalAddress::Kind;

TEST(LocalAddress, IsReadFromNumbersAndLocalhostAlone) {
  EXPECT_EQ(local_address("127.0.0.1"), (LocalAddress{Kind::ipv4, 0x7f000001}));
  EXPECT_EQ(local_address("127.9.8.7"), (LocalAddress{Kind::ipv4, 0x7f090807}));
  EXPECT_EQ(local_address("::ffff:127.0.0.2"), (LocalAddress{Kind::ipv4, 0x7f000002}));
  // As clients read them.
  for (const char* other : {"127.1", "0x7f000001", "2130706433", "0177.0.0.1"}) {
    EXPECT_EQ(local_address(other), (LocalAddress{Kind::ipv4, 0x7f000001})) << other;
  }
  EXPECT_EQ(local_address("0"), LocalAddress{Kind::any_ipv4});
  EXPECT_EQ(local_address("::1"), LocalAddress{Kind::ipv6});
  EXPECT_EQ(local_address("0:0:0:0:0:0:0:1"), LocalAddress{Kind::ipv6});
  EXPECT_EQ(local_address("localhost"), LocalAddress{Kind::localhost});
  EXPECT_EQ(local_address("LocalHost"), LocalAddress{Kind::localhost});
  EXPECT_EQ(local_address("0.0.0.0"), LocalAddress{Kind::any_ipv4});
  EXPECT_EQ(local_address("::ffff:0.0.0.0"), LocalAddress{Kind::any_ipv4});
  EXPECT_EQ(local_address("::"), LocalAddress{Kind::any});
  for (const char* other : {"", "local", "localhost.example", "10.0.0.1", "128.0.0.1", "fe80::1", "::ffff:10.0.0.1",
                            "10.1", "web-1"}) {
    EXPECT_EQ(local_address(other), std::nullopt) << other;
  }
}

struct Pair {
  const char* one;
  const char* other;
  bool overlap;
};

// Rule 52: which two addresses of one port are one address for two programs.
constexpr Pair kPairs[] = {
    {"127.0.0.1", "127.0.0.1", true},  {"127.0.0.1", "127.0.0.2", false},       {"127.0.0.1", "localhost", true},
    {"127.0.0.2", "localhost", false}, {"127.0.0.1", "::1", false},             {"127.0.0.1", "0.0.0.0", true},
    {"127.0.0.2", "0.0.0.0", true},    {"127.0.0.1", "::", true},               {"127.0.0.1", "::ffff:127.0.0.1", true},
    {"::1", "::1", true},              {"::1", "localhost", true},              {"::1", "0.0.0.0", false},
    {"::1", "::", true},               {"localhost", "localhost", true},        {"localhost", "0.0.0.0", true},
    {"localhost", "::", true},         {"0.0.0.0", "0.0.0.0", true},            {"0.0.0.0", "::", true},
    {"::", "::", true},
};

TEST(LocalAddress, Rule52OverlapIsWhatTwoProgramsCannotShare) {
  for (const Pair& pair : kPairs) {
    const LocalAddress one = *local_address(pair.one);
    const LocalAddress other = *local_address(pair.other);
    EXPECT_EQ(overlap(one, other), pair.overlap) << pair.one << " and " << pair.other;
    EXPECT_EQ(overlap(other, one), pair.overlap) << pair.other << " and " << pair.one;
  }
}

}  // namespace
}  // namespace azora
