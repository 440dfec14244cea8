// R58: what sh, systemd and python-dotenv take from environment files, and what we do. env_files/env_files.json has
// their values as they gave them (env_files/make.py), and why ours are what they are where they differ.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>

#include "azora/keeper/env_file.hpp"
#include "azora/model/json_reader.hpp"
#include "support/built.hpp"

namespace azora::keeper {
namespace {

using Variables = std::map<std::string, std::string>;

// nullopt: refused.
std::optional<Variables> parse(std::string text) {
  const std::size_t size = text.size();
  text.push_back('!');  // the byte behind the end, which the reader may use
  EnvFileReader reader(text.data(), size);
  Variables variables;
  EnvLine line;
  while (reader.next(&line)) {
    if (line.fault != EnvFault::none) return std::nullopt;
    variables[std::string(line.text, line.name_size)] = line.text + line.name_size + 1;
    EXPECT_EQ(std::string(line.text).size(), line.size);
  }
  return variables;
}

// A column of the table: an object of texts; anything else: refused.
std::optional<Variables> column(const Json& row, const char* name) {
  const Json* value = row.find(name);
  if (value == nullptr || !value->is(Json::Kind::object)) return std::nullopt;
  Variables variables;
  for (const JsonMember& member : value->members) {
    if (!member.value.is(Json::Kind::string)) return std::nullopt;
    variables[member.key] = member.value.text;
  }
  return variables;
}

TEST(Rule58, EnvironmentFilesAreReadAsTheTableSays) {
  std::ifstream file(kEnvFilesFile);
  ASSERT_TRUE(file.is_open());
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const Result<Json> table = read_json(text);
  ASSERT_TRUE(table.ok()) << table.error().message;
  const Json* rows = table.value().find("files");
  ASSERT_NE(rows, nullptr);
  EXPECT_GE(rows->items.size(), 60U);
  int alone = 0;
  for (const Json& row : rows->items) {
    const std::string& given = row.find("file")->text;
    const std::optional<Variables> ours = parse(given);
    EXPECT_EQ(ours, column(row, "azora")) << given;
    bool agree = true;
    bool followed = false;
    for (const char* other : {"sh", "systemd", "dotenv"}) {
      const bool same = ours.has_value() && column(row, other) == ours;
      agree = agree && same;
      followed = followed || same;
    }
    if (!followed) ++alone;
    EXPECT_TRUE(agree || row.find("why") != nullptr) << "say why: " << given;
  }
  EXPECT_LE(alone, 16) << "a file that none of the others reads so surprises its user";
}

}  // namespace
}  // namespace azora::keeper
