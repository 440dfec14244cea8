#include "azora/listeners/proc_net.hpp"

#include <gtest/gtest.h>

#include <bit>

namespace azora::listeners {
namespace {

constexpr std::string_view kIpv4 =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    "   0: 0100007F:1B59 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4242 1 0000000000000000 100\n"
    "   1: 0100007F:1B59 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 4243 1 0000000000000000 20\n"
    "   2: 00000000:1B5A 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4244 1 0000000000000000 100\n";
constexpr std::string_view kIpv6 =
    "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when\n"
    "   0: 00000000000000000000000001000000:1B59 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 "
    "00000000     7        0 4245 1 0000000000000000 100 0 0 10 0\n";

TEST(ProcNet, R52FindsWhoListensOnThePortAlone) {
  static_assert(std::endian::native == std::endian::little, "the texts above are of such a machine");
  std::vector<Listener> found;
  parse_proc_net(kIpv4, false, 7001, found);
  parse_proc_net(kIpv6, true, 7001, found);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].inode, 4242U);
  EXPECT_EQ(found[0].uid, 1000U);
  EXPECT_EQ(found[0].address[0], 127);
  EXPECT_EQ(found[0].address[3], 1);
  EXPECT_TRUE(found[1].ipv6);
  EXPECT_EQ(found[1].inode, 4245U);
  EXPECT_EQ(found[1].address[15], 1);
  EXPECT_EQ(found[1].address[0], 0);
}

TEST(ProcNet, DamagedLinesAreLeftOut) {
  // Cut anywhere, it is read or left out; only a whole one is found.
  const std::string_view line = kIpv4.substr(kIpv4.find("   0:"), kIpv4.find("   1:") - kIpv4.find("   0:"));
  for (std::size_t size = 0; size < line.find("4242"); ++size) {
    std::vector<Listener> found;
    parse_proc_net(line.substr(0, size), false, 7001, found);
    EXPECT_TRUE(found.empty()) << line.substr(0, size);
  }
  std::vector<Listener> found;
  parse_proc_net("x\n\n 0: ZZ00007F:1B59 0 0A 0 0 0 0 0 0\n 0: 0100007F:1B5 0 0A 0 0 0 0 0 7\n 0: 0100007F:1B59 0 0A 0 0 0 x 0 7\n", false, 7001, found);
  parse_proc_net(line, true, 7001, found);  // an address of the other family
  EXPECT_TRUE(found.empty());
}

}  // namespace
}  // namespace azora::listeners
