// R58: envExpand.
#include "azora/keeper/env_expand.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace azora::keeper {
namespace {

using Variables = std::map<std::string, std::string>;

const char* find(const void* context, const char* name, std::size_t size) {
  const auto& variables = *static_cast<const Variables*>(context);
  const auto found = variables.find(std::string(name, size));
  return found == variables.end() ? nullptr : found->second.c_str();
}

// As the child of a shim reads a file; a line may name those above it.
Variables expanded(std::string text, Variables variables, std::size_t room = 1000) {
  const std::size_t size = text.size();
  text.push_back('!');
  EnvFileReader reader(text.data(), size, true);
  EnvLine line;
  while (reader.next(&line)) {
    if (line.fault != EnvFault::none) return {{"fault", describe(line.fault)}};
    std::vector<char> out(room + 1, '!');
    const std::size_t written = expand_env(line, {find, &variables}, out.data(), room);
    EXPECT_EQ(out[room], '!');
    if (written == kNoRoom) return {{"fault", "no room"}};
    EXPECT_EQ(std::strlen(out.data()), written);
    variables[std::string(out.data(), line.name_size)] = out.data() + line.name_size + 1;
  }
  return variables;
}

std::string value_of(const std::string& written) {
  return expanded("V=" + written + "\n", {{"HOME", "/h"}, {"A", "a"}, {"DOLLAR", "$A"}}).at("V");
}

TEST(Rule58, ExpandReplacesVariablesOutsideSingleQuotes) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"$HOME/x", "/h/x"},
      {"${HOME}x", "/hx"},
      {"\"$A-${A}\"", "a-a"},
      {"'$A'", "$A"},
      {"\"\\$A\"", "$A"},
      {"$NONE.", "."},
      {"$DOLLAR", "$A"},  // once, not again
      {"$", "$"},
      {"a$", "a$"},
      {"$1", "$1"},
      {"$$A", "$a"},
      {"${A", "${A"},
      {"${A:-b}", "${A:-b}"},
      {"${}", "${}"},
      {"$A$A", "aa"},
      {"$A # comment", "a"},
      {"\"one\n$A\"", "one\na"},
  };
  for (const auto& [written, value] : cases) EXPECT_EQ(value_of(written), value) << written;
}

TEST(Rule58, ALineSeesThoseAboveIt) {
  const Variables found = expanded("B=$A\nC=$B$B\nB=x\nD=$C$B\n", {{"A", "1"}});
  EXPECT_EQ(found.at("C"), "11");
  EXPECT_EQ(found.at("D"), "11x");
}

TEST(Rule58, WhatGrowsBeyondItsRoomIsRefused) {
  EXPECT_EQ(expanded("V=$A", {{"A", "123"}}, 6).at("V"), "123");
  EXPECT_EQ(expanded("V=$A", {{"A", "1234"}}, 6).at("fault"), "no room");
  EXPECT_EQ(expanded("V=$A", {{"A", "1"}}, 0).at("fault"), "no room");
}

TEST(Rule58, AnyReferenceStaysInsideItsLine) {
  constexpr char kBytes[] = "AB=$${}}\"'\\# \n";
  std::mt19937 random(11);  // the sanitizer is the judge
  int read = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = "V=";
    for (auto size = random() % 24; size > 0; --size) text += kBytes[random() % (sizeof kBytes - 1)];
    read += expanded(text, {{"A", "long value"}, {"B", ""}}, random() % 40).contains("fault") ? 0 : 1;
  }
  EXPECT_GT(read, 1000);
}

}  // namespace
}  // namespace azora::keeper
