#include "azora/base/one_or_more.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace azora {
namespace {

TEST(OneOrMore, BehavesLikeAVector) {
  for (unsigned seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    OneOrMore<std::string> list;
    std::vector<std::string> model;
    for (int step = 0; step < 300; ++step) {
      const auto what = random() % 10;
      if (what < 5) {
        // Long enough that every copy has memory of its own.
        list.push_back("value " + std::to_string(step) + " of the list that is tested");
        model.push_back("value " + std::to_string(step) + " of the list that is tested");
      } else if (what < 8 && !model.empty()) {
        const auto at = random() % model.size();
        list.erase(list.begin() + at);
        model.erase(model.begin() + static_cast<std::ptrdiff_t>(at));
      } else if (what == 8) {
        list.reserve(random() % 5);
      } else {
        OneOrMore<std::string> moved(std::move(list));
        EXPECT_TRUE(list.empty());
        list = std::move(moved);
      }
      ASSERT_EQ(list.size(), model.size());
      ASSERT_TRUE(std::equal(list.begin(), list.end(), model.begin(), model.end()));
    }
  }
}

TEST(OneOrMore, DestroysEachElementOnce) {
  const auto shared = std::make_shared<int>(1);
  {
    OneOrMore<std::shared_ptr<int>> list = {shared};
    EXPECT_EQ(shared.use_count(), 2);
    list.push_back(shared);
    list.push_back(shared);
    EXPECT_EQ(shared.use_count(), 4);
    OneOrMore<std::shared_ptr<int>> other = {shared};
    other = std::move(list);
    EXPECT_EQ(shared.use_count(), 4);
    other.erase(other.begin());
    EXPECT_EQ(shared.use_count(), 3);
    other.clear();
    EXPECT_EQ(shared.use_count(), 1);
    other.push_back(shared);
    EXPECT_EQ(other.front(), shared);
  }
  EXPECT_EQ(shared.use_count(), 1);
}

TEST(OneOrMore, ASingleElementLiesInTheList) {
  OneOrMore<int> list;
  list.push_back(1);
  const auto* begin = reinterpret_cast<const char*>(&list);
  const auto* element = reinterpret_cast<const char*>(list.begin());
  EXPECT_TRUE(element >= begin && element < begin + sizeof list);
}

}  // namespace
}  // namespace azora
