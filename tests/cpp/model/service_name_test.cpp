#include "azora/model/service_name.hpp"

#include <gtest/gtest.h>

namespace azora {
namespace {

TEST(ServiceName, AnInstanceIsWrittenWithItsIndexBehindTheNameOfItsEntry) {
  EXPECT_EQ(instance_id("orders", 0), "orders@0");
  EXPECT_EQ(instance_id("orders", 999), "orders@999");
  for (const int index : {0, 7, 10, 999}) {
    const std::string id = instance_id("a.b-c_d", index);
    EXPECT_EQ(instance_index(id), index);
    EXPECT_EQ(entry_of(id), "a.b-c_d");
    EXPECT_TRUE(is_service_id(id));
  }
}

TEST(ServiceName, WhatIsNotWrittenAsWeWriteItIsNoInstance) {
  for (const char* text : {"orders", "orders@", "orders@x", "orders@01", "orders@-1", "orders@12345", "orders@1 ", ""}) {
    EXPECT_EQ(instance_index(text), std::nullopt) << text;
    EXPECT_EQ(entry_of(text), text);
  }
  EXPECT_TRUE(is_service_id("orders"));
  for (const char* text : {"orders@", "orders@x", "orders@01", "@1", "", "a b", "a b@1", "a@1@2"}) {
    EXPECT_FALSE(is_service_id(text)) << text;
  }
}

TEST(ServiceName, AnEntryIsMeantByItsInstancesAndNotTheReverse) {
  EXPECT_TRUE(names_service("orders", "orders"));
  EXPECT_TRUE(names_service("orders", "orders@12"));
  EXPECT_TRUE(names_service("orders@1", "orders@1"));
  EXPECT_FALSE(names_service("orders@1", "orders"));
  EXPECT_FALSE(names_service("orders@1", "orders@12"));
  EXPECT_FALSE(names_service("orders", "orders2"));
  EXPECT_FALSE(names_service("order", "orders@1"));
  EXPECT_FALSE(names_service("orders", "orders@01"));
}

}  // namespace
}  // namespace azora
