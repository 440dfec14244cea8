#include "azora/base/error.hpp"

#include <gtest/gtest.h>

#include <set>

namespace azora {
namespace {

TEST(ErrorTable, StandsInTheOrderOfTheCodesWithoutGaps) {
  const auto& table = error_table();
  ASSERT_EQ(table.size(), static_cast<std::size_t>(ErrorCode::internal) + 1);  // the last code
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < table.size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(table[i].code), i) << table[i].name;
    EXPECT_TRUE(names.insert(table[i].name).second) << table[i].name;
    EXPECT_EQ(table[i].name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"),
              std::string_view::npos);
    EXPECT_GE(table[i].status, 400);
    EXPECT_LT(table[i].status, 600);
    EXPECT_EQ(error_name(table[i].code), table[i].name);
    EXPECT_EQ(error_status(table[i].code), table[i].status);
  }
}

TEST(ErrorTable, GivesTheStatusesThatTheRestContractNames) {
  EXPECT_EQ(error_status(ErrorCode::invalid_json), 400);
  EXPECT_EQ(error_status(ErrorCode::dependency_cycle), 400);
  EXPECT_EQ(error_status(ErrorCode::exec_forbidden), 403);
  EXPECT_EQ(error_status(ErrorCode::unknown_service), 404);
  EXPECT_EQ(error_status(ErrorCode::healing_unavailable), 409);
  EXPECT_EQ(error_status(ErrorCode::no_healthy_instance), 503);
  EXPECT_EQ(error_status(ErrorCode::timed_out), 504);
}

TEST(SpecError, NamesEveryFaultInOneLine) {
  const Error error =
      spec_error({{"id", "is missing; give one"}, {"type", "is 5; it must be a text"}});
  EXPECT_EQ(error.code, ErrorCode::invalid_spec);
  EXPECT_EQ(error.message, "id: is missing; give one; type: is 5; it must be a text");
  EXPECT_EQ(error.faults.size(), 2U);
}

}  // namespace
}  // namespace azora
