// Which listener a client reaches and what that means, by sockets that the test describes.
#include "azora/listeners/decide.hpp"

#include <gtest/gtest.h>

#include <map>

namespace azora::listeners {
namespace {

using Kind = Answer::Kind;
using Whose = Owners::Whose;

Listener ipv4(std::uint64_t inode, std::array<std::uint8_t, 4> address) {
  Listener listener{.inode = inode};
  std::copy(address.begin(), address.end(), listener.address.begin());
  return listener;
}
Listener ipv4_at(std::uint64_t inode) { return ipv4(inode, {127, 0, 0, 1}); }
Listener ipv4_all(std::uint64_t inode) { return ipv4(inode, {0, 0, 0, 0}); }
Listener ipv6_all(std::uint64_t inode, bool only = false) {
  return {.ipv6 = true, .only_ipv6 = only, .inode = inode};
}
Listener ipv6_at(std::uint64_t inode) {
  Listener listener{.ipv6 = true, .inode = inode};
  listener.address.back() = 1;
  return listener;
}

class SaidOwners : public Owners {
 public:
  explicit SaidOwners(std::map<std::uint64_t, Whose> whose) : whose_(std::move(whose)) {}
  Whose whose(const Listener& listener) override {
    ++asked;
    return whose_.at(listener.inode);
  }
  std::string holder(const Listener& listener) override { return "pid " + std::to_string(listener.inode) + " (x)"; }
  int asked = 0;

 private:
  std::map<std::uint64_t, Whose> whose_;
};

Answer answer(const char* host, const std::vector<Listener>& there, std::map<std::uint64_t, Whose> whose) {
  SaidOwners owners(std::move(whose));
  return decide({.address = *local_address(host), .port = 7001, .main = 5}, there, owners);
}

TEST(Decide, R52NobodyListensWhereNothingFits) {
  EXPECT_EQ(answer("127.0.0.1", {}, {}).kind, Kind::no_listener);
  EXPECT_EQ(answer("127.0.0.1", {ipv6_at(1)}, {}).kind, Kind::no_listener);
  EXPECT_EQ(answer("127.0.0.1", {ipv6_all(1, true)}, {}).kind, Kind::no_listener);
  EXPECT_EQ(answer("127.0.0.1", {ipv4(1, {127, 0, 0, 2})}, {}).kind, Kind::no_listener);
  EXPECT_EQ(answer("::1", {ipv4_all(1)}, {}).kind, Kind::no_listener);
}

TEST(Decide, R52TheListenerThatFitsBestAnswers) {
  const std::map<std::uint64_t, Whose> first_is_ours = {{1, Whose::service}, {2, Whose::other}};
  EXPECT_EQ(answer("127.0.0.1", {ipv4_all(2), ipv4_at(1)}, first_is_ours).kind, Kind::ours);
  EXPECT_EQ(answer("127.0.0.1", {ipv4_all(1), ipv4_at(2)}, first_is_ours).kind, Kind::foreign);
  EXPECT_EQ(answer("127.0.0.1", {ipv6_all(1), ipv4_all(2)}, first_is_ours).kind, Kind::foreign);
  EXPECT_EQ(answer("127.0.0.1", {ipv6_all(2), ipv4_all(1)}, first_is_ours).kind, Kind::ours);
  EXPECT_EQ(answer("::1", {ipv6_all(1), ipv6_at(2)}, first_is_ours).kind, Kind::foreign);
  EXPECT_EQ(answer("::1", {ipv6_all(1), ipv4_all(2)}, first_is_ours).kind, Kind::ours);
  EXPECT_EQ(answer("0.0.0.0", {ipv4_all(1)}, first_is_ours).kind, Kind::ours);
  EXPECT_EQ(answer("::", {ipv6_all(1)}, first_is_ours).kind, Kind::ours);
}

TEST(Decide, R52ASocketAtAMappedAddressIsOneOfIpv4) {
  Listener mapped{.ipv6 = true, .inode = 1};
  mapped.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1};
  EXPECT_EQ(answer("127.0.0.1", {mapped, ipv4_all(2)}, {{1, Whose::service}, {2, Whose::other}}).kind, Kind::ours);
}

TEST(Decide, R52LocalhostIsIpv4FirstAndIpv6WhereNothingListensThere) {
  const std::map<std::uint64_t, Whose> first_is_ours = {{1, Whose::service}, {2, Whose::other}};
  EXPECT_EQ(answer("localhost", {ipv6_at(1)}, first_is_ours).kind, Kind::ours);
  EXPECT_EQ(answer("localhost", {ipv6_at(1), ipv4_at(2)}, first_is_ours).kind, Kind::foreign);
  const Answer beside = answer("localhost", {ipv6_at(2), ipv4_at(1)}, first_is_ours);
  EXPECT_EQ(beside.kind, Kind::ours);
  EXPECT_EQ(beside.beside, "pid 2 (x)");
  // One socket that takes both is not another program beside itself.
  EXPECT_EQ(answer("localhost", {ipv6_all(1)}, first_is_ours).beside, "");
}

TEST(Decide, R52AStrangerIsNamedAndBesideOurOwnItIsNoFault) {
  EXPECT_EQ(answer("127.0.0.1", {ipv4_at(3)}, {{3, Whose::other}}).holder, "pid 3 (x)");
  const Answer shared = answer("127.0.0.1", {ipv4_at(2), ipv4_at(1), ipv4_at(2)}, {{1, Whose::service}, {2, Whose::other}});
  EXPECT_EQ(shared.kind, Kind::ours);
  EXPECT_EQ(shared.beside, "pid 2 (x)");
}

TEST(Decide, R52WhatMayNotBeReadIsNotVerified) {
  const Answer unknown = answer("127.0.0.1", {ipv4_at(1), ipv4_at(2)}, {{1, Whose::unknown}, {2, Whose::other}});
  EXPECT_EQ(unknown.kind, Kind::unverified);
  EXPECT_NE(unknown.reason, "");
  EXPECT_EQ(answer("127.0.0.1", {ipv4_at(1), ipv4_at(2)}, {{1, Whose::unknown}, {2, Whose::service}}).kind, Kind::ours);
}

TEST(Decide, R52NamesPortAndHolder) {
  EXPECT_EQ(foreign_text(7001, "pid 123 (python3)"), "port 7001 is held by pid 123 (python3), not by this service");
}

}  // namespace
}  // namespace azora::listeners
