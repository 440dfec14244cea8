// The same key, the same instance: stable over flaps, restarts and order, few moves when one joins
// or leaves.
#include <gtest/gtest.h>

#include <algorithm>

#include "azora/balancer/client_key.hpp"
#include "balancer/rig.hpp"

namespace azora::balancer {
namespace {

using Map = std::map<std::string, std::string>;

std::vector<std::string> ids_of(int count) {
  std::vector<std::string> ids;
  for (int i = 0; i < count; ++i) ids.push_back("s" + std::to_string(i));
  return ids;
}

Map map_of(Rig& rig, int keys = 5000) {
  Map map;
  for (int i = 0; i < keys; ++i) {
    const std::string key = "client-" + std::to_string(i);
    map[key] = rig.fast("t", Strategy::ip_hash, key);
  }
  return map;
}

int moved(const Map& before, const Map& after) {
  int count = 0;
  for (const auto& [key, id] : before) count += after.at(key) != id;
  return count;
}

TEST(IpHash, DependsOnTheIdsAlone) {
  Rig one;
  Rig other;
  std::vector<std::string> ids = ids_of(12);
  for (const std::string& id : ids) one.add(id, {.weight = 9});
  std::reverse(ids.begin(), ids.end());
  for (const std::string& id : ids) other.add(id, {.endpoint = "http://moved/" + id});
  EXPECT_EQ(map_of(one), map_of(other));
}

TEST(IpHash, TheMappingIsTheSameInEveryBuild) {
  Rig rig;
  for (const char* id : {"a", "b", "c", "d", "e"}) rig.add(id);
  std::string got;
  for (int i = 0; i < 16; ++i) got += rig.fast("t", Strategy::ip_hash, "client-" + std::to_string(i));
  EXPECT_EQ(got, "eccdecacceeadadb");
}

TEST(IpHash, SpreadsKeysEvenly) {
  Rig rig;
  for (const std::string& id : ids_of(10)) rig.add(id);
  std::map<std::string, int> shares;
  for (const auto& [key, id] : map_of(rig, 20'000)) ++shares[id];
  ASSERT_EQ(shares.size(), 10U);
  for (const auto& [id, count] : shares) EXPECT_NEAR(count, 2000, 260) << id;
}

TEST(IpHash, AFlapMovesNoKeyOfAnother) {
  for (const int members : {5, 100}) {
    Rig rig;
    const std::vector<std::string> ids = ids_of(members);
    for (const std::string& id : ids) rig.add(id);
    const Map before = map_of(rig);
    rig.down("s3");
    const Map during = map_of(rig);
    std::map<std::string, int> heirs;
    for (const auto& [key, id] : before) {
      if (id == "s3") {
        EXPECT_NE(during.at(key), "s3");
        ++heirs[during.at(key)];
      } else {
        EXPECT_EQ(during.at(key), id) << key;
      }
    }
    EXPECT_GE(heirs.size(), 4U) << "the keys of the one that is down spread over the others";
    rig.up("s3");
    EXPECT_EQ(map_of(rig), before) << "and come back";
  }
}

TEST(IpHash, JoiningAndLeavingMoveFewKeysBesideTheirOwn) {
  Rig rig;
  for (const std::string& id : ids_of(10)) rig.add(id);
  const Map before = map_of(rig);
  rig.add("new");
  const Map with = map_of(rig);
  int own = 0;
  for (const auto& [key, id] : with) own += id == "new";
  EXPECT_NEAR(own, 5000 / 11, 100);
  EXPECT_LE(moved(before, with), own + 150) << "at most 3 % beside its own";
  rig.remove("new");
  EXPECT_EQ(map_of(rig), before);
  rig.remove("s4");
  const Map without = map_of(rig);
  for (const auto& [key, id] : without) EXPECT_NE(id, "s4");
  EXPECT_LE(moved(before, without), 500 + 250);
}

TEST(IpHash, WithNearlyAllDownKeysStayWhereTheyCan) {
  Rig rig;
  const std::vector<std::string> ids = ids_of(200);
  for (const std::string& id : ids) rig.put(id);
  for (const char* id : {"s7", "s70", "s170"}) rig.up(id);
  const Map three = map_of(rig, 2000);
  std::map<std::string, int> shares;
  for (const auto& [key, id] : three) ++shares[id];
  ASSERT_EQ(shares.size(), 3U);
  for (const auto& [id, count] : shares) EXPECT_NEAR(count, 667, 150) << id;
  rig.up("s100");
  for (const auto& [key, id] : map_of(rig, 2000)) {
    EXPECT_TRUE(id == three.at(key) || id == "s100") << "a key moves to the one that came, or not";
  }
}

TEST(IpHash, AMemberThatMovedKeepsItsKeys) {
  Rig rig;
  for (const std::string& id : ids_of(8)) rig.add(id);
  const Map before = map_of(rig, 500);
  rig.add("s2", {.endpoint = "http://elsewhere"});
  EXPECT_EQ(map_of(rig, 500), before);
}

TEST(IpHash, Rule42NeedsAKeyOrAPeer) {
  Rig rig;
  rig.add("a");
  const Result<Pick> refused = rig.balancer.pick("t", {.strategy = Strategy::ip_hash});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
  EXPECT_NE(refused.error().message.find("key: is empty"), std::string::npos);
  EXPECT_EQ(rig.fast("t", Strategy::ip_hash), "-");
  EXPECT_EQ(rig.pick("t", {.strategy = Strategy::ip_hash, .key = "k"}), "a");
  EXPECT_EQ(rig.pick("t", {.strategy = Strategy::ip_hash, .peer = "10.0.0.1"}), "a");
}

TEST(IpHash, AnExplicitKeyWinsOverThePeer) {
  Rig rig;
  for (const std::string& id : ids_of(50)) rig.add(id);
  const auto with = [&](std::string_view key, std::string_view peer) {
    return rig.pick("t", {.strategy = Strategy::ip_hash, .key = key, .peer = peer});
  };
  EXPECT_EQ(with("k", "10.0.0.1"), with("k", "10.0.0.2"));
  EXPECT_EQ(with("k", ""), rig.fast("t", Strategy::ip_hash, "k"));
}

TEST(ClientKey, AnAddressIsTheKeyThatItIsWrittenAs) {
  EXPECT_EQ(peer_hash("10.0.0.1"), key_hash("10.0.0.1"));
  EXPECT_EQ(peer_hash("[::ffff:10.0.0.1]:40312"), key_hash("10.0.0.1"));
}

TEST(ClientKey, OneClientHasOneKey) {
  const auto same = [](std::string_view a, std::string_view b) { return peer_hash(a) == peer_hash(b); };
  EXPECT_TRUE(same("10.0.0.1", "10.0.0.1:40312"));
  EXPECT_TRUE(same("10.0.0.1", "::ffff:10.0.0.1"));
  EXPECT_TRUE(same("10.0.0.1", "[::ffff:10.0.0.1]:40312"));
  EXPECT_FALSE(same("10.0.0.1", "10.0.0.2"));
  EXPECT_TRUE(same("::1", "[::1]"));
  EXPECT_TRUE(same("::1", "[::1]:8080"));
  EXPECT_TRUE(same("2001:db8::1", "2001:0DB8:0:0::1"));
  EXPECT_TRUE(same("2001:db8:1:2::1", "2001:db8:1:2:dead:beef:1:2")) << "a host has a /64";
  EXPECT_FALSE(same("2001:db8:1:2::1", "2001:db8:1:3::1"));
  EXPECT_TRUE(same("fe80::1%eth0", "fe80::1"));
  EXPECT_TRUE(same("[fe80::1%eth0]:80", "fe80::1"));
}

TEST(ClientKey, WhatIsNoAddressCountsAsItIsWritten) {
  const std::vector<std::string> bad = {
      "",          "unknown",     "10.0.0",          "10.0.0.1.2", "10.0.0.256",
      "[::1",      "[::1]x",      "[::1]:",          "[::1]:99999x", "10.0.0.1:",
      "10.0.0.1:x", ":80",         std::string("10.0.0.1\0x", 10), std::string(500, 'a'),
      "::1::",     "\xff\xfe",    "[]",              "%"};
  std::map<std::uint64_t, std::string> seen;
  for (const std::string& text : bad) {
    const auto [known, fresh] = seen.emplace(peer_hash(text), text);
    EXPECT_TRUE(fresh) << '"' << text << "\" as \"" << known->second << '"';
    EXPECT_NE(peer_hash(text), peer_hash("10.0.0.1")) << text;
    EXPECT_NE(peer_hash(text), peer_hash("::1")) << text;
  }
}

TEST(HashTable, SlotsArePrimesThatShrinkLate) {
  for (const std::size_t members : {1U, 17U}) {
    const std::uint32_t slots = hash_table_slots(members, 0);
    for (std::uint32_t factor = 2; factor * factor <= slots; ++factor) {
      ASSERT_NE(slots % factor, 0U) << slots << " = " << factor << " * ..";
    }
  }
  const std::uint32_t small = hash_table_slots(16, 0);
  const std::uint32_t next = hash_table_slots(17, small);
  EXPECT_GT(next, small);
  EXPECT_EQ(hash_table_slots(16, next), next) << "one that flaps at the limit moves nobody's keys";
  EXPECT_EQ(hash_table_slots(9, next), next);
  EXPECT_EQ(hash_table_slots(8, next), small);
}

}  // namespace
}  // namespace azora::balancer
