#include "azora/keeper/client_place.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "keeper/client_rig.hpp"

namespace azora::keeper {
namespace {

class ClientPlaceTest : public testing::Test {
 protected:
  ~ClientPlaceTest() override { std::filesystem::remove_all(parent); }

  const std::filesystem::path parent = ClientRig::new_folder();
  ClientOptions options;
  const OwnWorld world;
};

TEST_F(ClientPlaceTest, IsMadeWhenItIsNeededAndAgainWhenItWasRemoved) {
  options.runtime_dir = parent;
  ClientPlace place(options, world);
  ASSERT_TRUE(place.open_given()) << "none was given";
  EXPECT_FALSE(place.is_there());
  EXPECT_EQ(place.path_of(7), "");
  ASSERT_TRUE(place.make());
  const std::string first = place.folder().path();
  EXPECT_EQ(std::filesystem::path(first).parent_path(), parent);
  EXPECT_EQ(place.path_of(7), first + "/7");
  std::filesystem::remove_all(first);
  EXPECT_TRUE(place.folder().is_lost());
  ASSERT_TRUE(place.make());
  EXPECT_FALSE(place.folder().is_lost());
  EXPECT_EQ(place.path_of(7), place.folder().path() + "/7");
  const std::string second = place.folder().path();
  place.remove();
  EXPECT_FALSE(std::filesystem::exists(second));
}

TEST_F(ClientPlaceTest, OneThatWasGivenIsTakenOnceAndStays) {
  const std::filesystem::path given = parent / "given";
  options.folder = given;
  ClientPlace place(options, world);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(place.open_given()) << "it is ours already";
  EXPECT_EQ(place.path_of(1), (given / "1").string());
  ClientOptions same = options;
  ClientPlace other(same, world);
  EXPECT_FALSE(other.open_given()) << "it belongs to one at a time";
  EXPECT_EQ(other.path_of(1), "");
  place.remove();
  EXPECT_TRUE(std::filesystem::exists(given));
}

}  // namespace
}  // namespace azora::keeper
