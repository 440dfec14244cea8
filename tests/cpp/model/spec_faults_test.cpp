// Every refused input of spec_faults.txt with its exact words.
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "azora/model/spec_parser.hpp"
#include "support/built.hpp"

namespace azora {
namespace {

ParseOptions options_of(std::string_view origin) {
  ParseOptions options;
  options.base_dir = "/srv/app";
  if (origin == "file") options.origin = Origin::file;
  if (origin == "callable") {
    options.origin = Origin::python;
    options.given_action = &kCallableAction;
  }
  return options;
}

std::string faults_text(const Error& error) {
  if (error.code != ErrorCode::invalid_spec) {
    return "  " + std::string(error_name(error.code)) + ": " + error.message + "\n";
  }
  std::string text;
  for (const Fault& fault : error.faults) text += "  " + fault.field + ": " + fault.message + "\n";
  return text;
}

TEST(SpecFaults, AreNamedInTheWordsOfTheTable) {
  std::ifstream file(kSpecFaultsFile);
  ASSERT_TRUE(file.is_open());
  std::string line;
  std::getline(file, line);
  int inputs = 0;
  while (file) {
    if (line.empty() || line.front() == '#') {
      std::getline(file, line);
      continue;
    }
    const std::size_t space = line.find(' ');
    ASSERT_NE(space, std::string::npos) << line;
    const std::string origin = line.substr(0, space);
    const std::string input = line.substr(space + 1);
    std::string expected;
    while (std::getline(file, line) && line.starts_with("  ")) expected += line + "\n";
    const auto result = parse_service(input, options_of(origin));
    ++inputs;
    ASSERT_FALSE(result.ok()) << origin << " " << input;
    EXPECT_EQ(faults_text(result.error()), expected) << origin << " " << input;
  }
  EXPECT_GE(inputs, 160);
}

TEST(SpecFaults, JoinIntoTheMessageOfTheError) {
  const auto result = parse_service(R"({"id":"a","type":5})", {});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(
      result.error().message,
      "type: is 5; it must be a word of 1 to 63 letters, digits, \".\", \"_\" or \"-\" that begins with "
      "a letter or digit; endpoint: is missing; give an http://, https:// or tcp:// URL such as "
      "\"http://127.0.0.1:7001\"");
}

TEST(SpecFaults, OfAHostileInputAreCountedNotListed) {
  std::string input = R"({"id":"a","type":"c","endpoint":"http://h","healthCheck":{)";
  for (int i = 0; i < 5000; ++i) input += (i > 0 ? ",\"k" : "\"k") + std::to_string(i) + "\":1";
  const auto result = parse_service(input + "}}", {});
  ASSERT_FALSE(result.ok());
  ASSERT_EQ(result.error().faults.size(), 101U);
  EXPECT_EQ(result.error().faults.back().field, "(more)");
  EXPECT_EQ(result.error().faults.back().message, "4900 more faults are not listed");
}

TEST(SpecFaults, NeverRepeatASecret) {
  const std::string input = R"({"id":"a","type":"c","endpoint":"http://joe:hunter2@h","process":)"
                            R"({"argv":["x"],"env":{"K":["hunter2"]}},)"
                            R"("healthCheck":{"headers":{"Authorization":["hunter2"]}}})";
  ParseOptions options;
  options.origin = Origin::file;
  const auto result = parse_service(input, options);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().faults.size(), 3U);
  EXPECT_EQ(result.error().message.find("hunter2"), std::string::npos) << result.error().message;
}

}  // namespace
}  // namespace azora
