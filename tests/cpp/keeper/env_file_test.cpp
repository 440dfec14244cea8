// Environment files: values bare and quoted, faults with their line.
#include "azora/keeper/env_file.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace azora::keeper {
namespace {

struct Parsed {
  std::vector<std::string> lines;
  EnvFault fault = EnvFault::none;
  std::uint32_t fault_line = 0;
};

Parsed parse(std::string text) {
  const std::size_t size = text.size();
  std::vector<char> room(text.begin(), text.end());
  room.push_back('!');  // the byte behind the end, which the reader may use
  EnvFileReader reader(room.data(), size);
  Parsed parsed;
  EnvLine line;
  while (reader.next(&line)) {
    if (line.fault != EnvFault::none) {
      parsed.fault = line.fault;
      parsed.fault_line = line.line;
      return parsed;
    }
    parsed.lines.emplace_back(line.text);
    EXPECT_EQ(parsed.lines.back()[line.name_size], '=');
  }
  return parsed;
}

struct Good {
  const char* text;
  std::vector<std::string> lines;
};

TEST(EnvFile, Values) {
  const std::vector<Good> cases{
      {"", {}},
      {"\n\n# comment\n  # indented\n", {}},
      {"A=1", {"A=1"}},
      {"A=1\nB=2\n", {"A=1", "B=2"}},
      {"A=1\r\nB=2\r\n", {"A=1", "B=2"}},
      {"export A=1\nexport\tB=2", {"A=1", "B=2"}},
      {"exported=1", {"exported=1"}},
      {"  A =  1  ", {"A=1"}},
      {"A=", {"A="}},
      {"A= # nothing", {"A="}},
      {"A=a b  # comment", {"A=a b"}},
      {"A=a#b", {"A=a#b"}},
      {"A=x=y", {"A=x=y"}},
      {"A='a # b' # comment", {"A=a # b"}},
      {"A='$HOME \\n'", {"A=$HOME \\n"}},
      {"A=\"a\\nb\\t\\\"\\\\\\$\"", {"A=a\nb\t\"\\$"}},
      {"A=\"\\d\"", {"A=\\d"}},
      {"A=\"\"", {"A="}},
      {"_9=x", {"_9=x"}},
      {"A=it's", {"A=it's"}},
      {"\xef\xbb\xbf" "A=1", {"A=1"}},
      {"A=#b", {"A=#b"}},
      {"A= #b", {"A="}},
      {"A=  a  b  #", {"A=a  b"}},
      {"A='one\n#two\n'\nB=\"\n\"  # end\nC=3", {"A=one\n#two\n", "B=\n", "C=3"}},
      {"A='one\r\ntwo'\r\nB=2", {"A=one\ntwo", "B=2"}},
      {"A=\"\\\nb\"", {"A=\\\nb"}},
  };
  for (const Good& good : cases) {
    const Parsed parsed = parse(good.text);
    EXPECT_EQ(parsed.fault, EnvFault::none) << good.text;
    EXPECT_EQ(parsed.lines, good.lines) << good.text;
  }
}

TEST(EnvFile, FaultsNameTheirLine) {
  const std::vector<std::tuple<std::string, EnvFault, std::uint32_t>> cases{
      {"A=1\nB\n", EnvFault::no_equals, 2},
      {"\n\n9A=1", EnvFault::bad_name, 3},
      {"A-B=1", EnvFault::bad_name, 1},
      {"=1", EnvFault::bad_name, 1},
      {"A='open\nB=2", EnvFault::open_quote, 1},
      {"A=1\nB='two\nlines'\nC='open\nD=2", EnvFault::open_quote, 4},
      {"A='two\nlines'\nB", EnvFault::no_equals, 3},
      {"A='two\nlines' x", EnvFault::after_quote, 1},
      {std::string("A='a\n\0'", 7), EnvFault::nul, 1},
      {"A=\"open\\\"", EnvFault::open_quote, 1},
      {"A='x' y", EnvFault::after_quote, 1},
      {std::string("A=1\nB=\0x", 8), EnvFault::nul, 2},
  };
  for (const auto& [text, fault, line] : cases) {
    const Parsed parsed = parse(text);
    EXPECT_EQ(parsed.fault, fault) << text;
    EXPECT_EQ(parsed.fault_line, line) << text;
    EXPECT_STRNE(describe(fault), "");
  }
}

TEST(EnvFile, AnyBytesStayInsideTheText) {
  constexpr char kBytes[] = "AB=='\"\\# \t\r\n\n$n";
  std::mt19937 random(7);  // the sanitizer is the judge
  int faults = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (auto size = random() % 24; size > 0; --size) text += kBytes[random() % (sizeof kBytes)];
    faults += parse(text).fault == EnvFault::none ? 0 : 1;
  }
  EXPECT_GT(faults, 0);
}

}  // namespace
}  // namespace azora::keeper
