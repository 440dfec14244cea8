#include "azora/keeper/program/shim_end.hpp"

#include <gtest/gtest.h>

namespace azora::keeper {
namespace {

TEST(ShimEnd, BeginsOnce) {
  ShimEnd end(true);
  EXPECT_FALSE(end.has_begun());
  EXPECT_TRUE(end.begin());
  EXPECT_TRUE(end.has_begun());
  EXPECT_FALSE(end.begin());
}

TEST(ShimEnd, AnEphemeralOneEndsWithItsOrchestratorAndRemovesWhatIsLeftOfTheFleet) {
  ShimEnd end(true);
  EXPECT_EQ(end.orchestrator(), kOrchestratorFd);
  EXPECT_TRUE(end.removes_files());
  EXPECT_FALSE(end.removes_fleet());  // a keeper will
  EXPECT_TRUE(end.on_orchestrator_ended());
  EXPECT_EQ(end.orchestrator(), -1);
  EXPECT_TRUE(end.removes_fleet());
}

TEST(ShimEnd, ADurableOneOutlivesItsOrchestratorAndKeepsItsFiles) {
  ShimEnd end(false);
  EXPECT_FALSE(end.on_orchestrator_ended());
  EXPECT_EQ(end.orchestrator(), -1);
  EXPECT_FALSE(end.has_begun());
  EXPECT_FALSE(end.removes_files());
  EXPECT_FALSE(end.removes_fleet());
}

TEST(ShimEnd, AForgottenOneRemovesItsFilesAndNeverThoseOfADurableFleet) {
  ShimEnd end(false);
  end.forget();
  end.on_orchestrator_ended();
  EXPECT_TRUE(end.removes_files());
  EXPECT_FALSE(end.removes_fleet());
}

}  // namespace
}  // namespace azora::keeper
