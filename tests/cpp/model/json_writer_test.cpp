#include "azora/model/json_writer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "azora/model/utf8.hpp"

namespace azora {
namespace {

std::string in_quotes(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string number(double value) {
  std::string out;
  append_json_number(out, value);
  return out;
}

TEST(JsonWriter, PutsCommasWhereTheyBelong) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("a");
  json.begin_array();
  json.integer(1);
  json.begin_object();
  json.end_object();
  json.null();
  json.end_array();
  json.text_key("b\"");
  json.boolean(true);
  json.key("c");
  json.raw("[1]");
  json.end_object();
  EXPECT_EQ(out, R"({"a":[1,{},null],"b\"":true,"c":[1]})");
}

TEST(JsonWriter, EscapesAsJsonStringifyDoes) {
  EXPECT_EQ(in_quotes("plain"), "\"plain\"");
  EXPECT_EQ(in_quotes(std::string("\"\\/\b\f\n\r\t\x01\x1f\x7f\0", 12)),
            "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\\u0000\"");
  EXPECT_EQ(in_quotes("\xC3\xA9\xF0\x9F\x98\x80"), "\"\xC3\xA9\xF0\x9F\x98\x80\"");
}

TEST(JsonWriter, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(in_quotes("a\xFFz"), "\"a\xEF\xBF\xBDz\"");
  EXPECT_EQ(in_quotes("\xC3"), "\"\xEF\xBF\xBD\"");
  for (const char* wrong :
       {"\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE2\x82", "\x80", "\xF0\x82\x82\xAC"}) {
    EXPECT_TRUE(is_utf8(in_quotes(wrong)));
    EXPECT_FALSE(is_utf8(wrong));
  }
}

TEST(JsonWriter, WritesTheShortestNumberThatReadsBack) {
  EXPECT_EQ(number(0.1), "0.1");
  EXPECT_EQ(number(-0.0), "0");
  EXPECT_EQ(number(12.5), "12.5");
  EXPECT_EQ(number(100), "100");
  EXPECT_EQ(number(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(number(std::nan("")), "null");
}

TEST(Utf8, CutsNoCharacterInTwo) {
  EXPECT_EQ(utf8_prefix("a\xC3\xA9z", 2), "a");
  EXPECT_EQ(utf8_prefix("a\xC3\xA9z", 3), "a\xC3\xA9");
  EXPECT_EQ(utf8_prefix("ab", 5), "ab");
}

TEST(Utf8, WritesEveryLength) {
  std::string out;
  for (const std::uint32_t code : {0x41U, 0xE9U, 0x20ACU, 0x1F600U}) append_utf8(out, code);
  EXPECT_EQ(out, "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
}

}  // namespace
}  // namespace azora
