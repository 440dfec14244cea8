// What counts as other sockets on a port.
#include "azora/listeners/change.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace azora::listeners {
namespace {

Listener at(std::uint16_t port, std::uint64_t inode, std::uint8_t last = 1, bool ipv6 = false) {
  Listener made{.ipv6 = ipv6, .port = port, .inode = inode};
  made.address = {127, 0, 0, last};
  return made;
}

using Serials = std::vector<std::uint64_t>;

Serials changed_serials(const std::vector<Seen>& seen, const std::vector<Listener>& all) {
  Serials found;
  for (const Seen& one : changed(seen, all)) found.push_back(one.serial);
  return found;
}

TEST(ListenersChange, OnlyPortsWithOtherSocketsAreNamed) {
  std::vector<Listener> all = {at(7001, 11), at(7001, 12), at(7002, 21)};
  const std::vector<Seen> seen = {{1, 7001, fingerprint({all[0], all[1]})},
                                  {2, 7002, fingerprint({all[2]})},
                                  {3, 7003, fingerprint({})}};
  EXPECT_EQ(changed_serials(seen, all), Serials{});
  std::reverse(all.begin(), all.end());
  EXPECT_EQ(changed_serials(seen, all), Serials{}) << "the order says nothing";
  all.push_back(at(7003, 31));  // where nothing listened
  EXPECT_EQ(changed_serials(seen, all), Serials{3});
  all.erase(all.begin());       // nothing listens on 7002
  EXPECT_EQ(changed_serials(seen, all), (Serials{2, 3}));
  all.push_back(at(7001, 13));  // one more beside two
  EXPECT_EQ(changed_serials(seen, all), (Serials{1, 2, 3}));
  EXPECT_EQ(changed_serials(seen, {}), (Serials{1, 2}));
}

TEST(ListenersChange, AnotherInodeAddressOrFamilyIsAnotherSocket) {
  const std::uint64_t one = fingerprint({at(7001, 11)});
  EXPECT_NE(one, 0U);
  EXPECT_NE(one, fingerprint({at(7001, 12)}));
  EXPECT_NE(one, fingerprint({at(7001, 11, 2)}));
  EXPECT_NE(one, fingerprint({at(7001, 11, 1, true)}));
  EXPECT_NE(one, fingerprint({at(7001, 11), at(7001, 11)}));
}

}  // namespace
}  // namespace azora::listeners
