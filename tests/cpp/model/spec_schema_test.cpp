#include <gtest/gtest.h>

#include <set>

#include "azora/model/json_reader.hpp"
#include "azora/model/spec_fields.hpp"
#include "azora/model/spec_parser.hpp"

namespace azora {
namespace {

Json schema(Origin origin) {
  auto json = read_json(service_json_schema(origin));
  EXPECT_TRUE(json.ok());
  return std::move(json).value();
}

const Json& at(const Json& json, std::initializer_list<std::string_view> path) {
  static const Json kNone;
  const Json* place = &json;
  for (const std::string_view key : path) {
    place = place->find(key);
    if (!place) return kNone;
  }
  return *place;
}

TEST(FieldTable, IsGroupedBySectionAndNamesEachFieldOnce) {
  std::set<std::pair<Section, std::string_view>> seen;
  Section last = Section::service;
  for (const FieldRow& row : all_fields()) {
    EXPECT_GE(row.section, last) << row.name;
    last = row.section;
    EXPECT_TRUE(seen.emplace(row.section, row.name).second) << row.name;
    EXPECT_FALSE(row.doc.empty()) << row.name;
    EXPECT_LE(row.min, row.max) << row.name;
    EXPECT_TRUE(row.default_json.empty() || read_json(row.default_json).ok()) << row.name;
    EXPECT_FALSE(rule_text(row, false).empty()) << row.name;
  }
}

TEST(FieldTable, HasTheSeedsKeysInTheSeedsOrder) {
  std::string names;
  for (const FieldRow& row : fields_of(Section::service)) {
    if (row.seed) names += std::string(row.name) + " ";
  }
  EXPECT_EQ(
      names,
      "id name type endpoint healthCheckPath healthCheckInterval maxRestarts restartDelay priority "
      "dependencies metadata ");
}

TEST(ServiceSchema, FollowsTheTable) {
  const Json file = schema(Origin::file);
  EXPECT_EQ(at(file, {"properties", "priority", "minimum"}).integer(), 1);
  EXPECT_EQ(at(file, {"properties", "priority", "maximum"}).integer(), 10);
  EXPECT_EQ(at(file, {"properties", "healthCheck", "properties", "type", "enum"}).items.size(), 3U);
  EXPECT_EQ(at(file, {"properties", "healthCheckInterval", "anyOf"}).items.size(), 2U);
  EXPECT_TRUE(at(file, {"properties", "process", "properties", "argv"}).is(Json::Kind::object));
  EXPECT_FALSE(at(file, {"additionalProperties"}).boolean);
  EXPECT_EQ(service_json_schema(), service_json_schema(Origin::file));
}

TEST(ServiceSchema, OfRequestsHasIntegerDurationsAndNothingToRun) {
  const Json rest = schema(Origin::rest);
  EXPECT_EQ(at(rest, {"properties", "healthCheckInterval", "type"}).text, "integer");
  EXPECT_EQ(at(rest, {"properties", "process"}), Json());
  EXPECT_EQ(at(rest, {"properties", "restart"}), Json());
  EXPECT_TRUE(at(rest, {"additionalProperties"}).boolean);
}

TEST(ServiceSchema, LeavesOutWhatIsNotBuilt) {
  for (const Origin origin : {Origin::file, Origin::python, Origin::rest}) {
    const std::string text = service_json_schema(origin);
    for (const char* word : {"systemd", "ttl", "webhook"}) {
      EXPECT_EQ(text.find(word), std::string::npos) << word;
    }
  }
}

}  // namespace
}  // namespace azora
