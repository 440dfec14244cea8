#include "azora/model/json_reader.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace azora {
namespace {

std::string problem(std::string_view text) {
  const auto result = read_json(text);
  if (result) return "accepted: " + json_text(result.value());
  EXPECT_EQ(result.error().code, ErrorCode::invalid_json);
  return result.error().message;
}

std::string round_trip(std::string_view text) {
  const auto result = read_json(text);
  return result ? json_text(result.value()) : result.error().message;
}

TEST(JsonReader, KeepsOrderOfKeysAndTheDigitsOfNumbers) {
  EXPECT_EQ(
      round_trip(" { \"b\" : 1.50 , \"a\" : [ true , false , null , -0 , 1E5 ] , \"\" : { } } "),
      R"({"b":1.50,"a":[true,false,null,-0,1E5],"":{}})");
  EXPECT_EQ(round_trip("18446744073709551615"), "18446744073709551615");
  EXPECT_EQ(round_trip("-9223372036854775808"), "-9223372036854775808");
}

TEST(JsonReader, ReadsEscapesAndUnicode) {
  EXPECT_EQ(round_trip(R"("\u0041\u00e9\u20ac\ud83d\ude00\n\/\u0001")"),
            "\"A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\\n/\\u0001\"");
}

TEST(JsonReader, Rule46bIgnoresAByteOrderMark) {
  EXPECT_EQ(round_trip("\xEF\xBB\xBF{\"a\":1}"), "{\"a\":1}");
  EXPECT_EQ(problem("\xEF\xBB\xBF\xEF\xBB\xBF{}"),
            "line 1, column 4: syntax error while parsing value - invalid literal");
}

TEST(JsonReader, Rule46bRefusesTheSameKeyTwiceAtAnyDepthAndInLargeObjects) {
  EXPECT_EQ(problem(R"({"a":1,"b":2,"a":3})"),
            "line 1, column 14: the key \"a\" appears twice in one object");
  EXPECT_EQ(problem("[{\"x\":\n  {\"k\":1, \"\\u006b\":2}}]"),
            "line 2, column 11: the key \"k\" appears twice in one object");
  std::string large = "{";
  for (int i = 0; i < 100; ++i) large += "\"k" + std::to_string(i) + "\":0,";
  EXPECT_TRUE(read_json(large + "\"last\":0}").ok());
  EXPECT_NE(problem(large + "\"k3\":0}").find("\"k3\" appears twice"), std::string::npos);
}

TEST(JsonReader, Rule46bRefusesHalfSurrogatePairs) {
  for (const char* text :
       {R"("\ud800")", R"("\ud800x")", R"("\udc00")", R"("\ud800\ud800")", R"("\ud800\u0041")"}) {
    EXPECT_NE(problem(text).find("invalid string: surrogate U+D"), std::string::npos) << problem(text);
  }
  EXPECT_EQ(problem("\"\xED\xA0\x80\""),
            "line 1, column 3: syntax error while parsing value - invalid string: ill-formed UTF-8 byte");
}

TEST(JsonReader, Rule46bRefusesNumbersOutOfRange) {
  for (const char* text :
       {"1e999", "-1e999", "18446744073709551616", "-9223372036854775809", "1e-400"}) {
    EXPECT_EQ(problem(text), "line 1, column 1: the number " + std::string(text) + " is out of range") << text;
  }
}

TEST(JsonReader, ListsNumbersOutOfRangeAndGoesOn) {
  std::vector<WideNumber> wide;
  const auto read = [&wide](std::string_view text) {
    std::string said;
    const Result<Json> json = read_json(text, wide);
    if (!json) return json.error().message;
    for (const WideNumber& one : wide) said += one.path + "=" + one.number + " ";
    EXPECT_EQ(json_text(json.value()), text);  // they are in the tree as they were written
    return said;
  };
  EXPECT_EQ(read(R"({"a":1,"weight":1e400,"b":[18446744073709551616,2],"c":"x"})"),
            "weight=1e400 b[0]=18446744073709551616 ");
  EXPECT_EQ(wide.back().problem, "line 1, column 28: the number 18446744073709551616 is out of range");
  EXPECT_EQ(read(R"({"a":{"b":[0,{"c":[1,-12.5e400]}]},"d":1e-400})"), "a.b[1].c[1]=-12.5e400 d=1e-400 ");
  EXPECT_EQ(read("[" + std::string(400, '9') + "]"), "[0]=" + std::string(40, '9') + "... ");
  EXPECT_EQ(read("-1e999"), "=-1e999 ");
  EXPECT_EQ(read("[1]"), "");
  EXPECT_EQ(read("[1e400,1e400,]").substr(0, 16), "line 1, column 1");  // another fault of the text decides
}

TEST(JsonReader, ListsABoundedNumberOfThem) {
  std::vector<WideNumber> wide;
  const auto many = [&wide](std::size_t count, const std::string& number) {
    std::string text = "[" + number;
    for (std::size_t i = 1; i < count; ++i) text += "," + number;
    return read_json(text + "]", wide).ok();
  };
  EXPECT_TRUE(many(16, "1e400"));
  EXPECT_FALSE(many(100, "1e400"));
  EXPECT_TRUE(many(64, "18446744073709551616"));
  EXPECT_FALSE(many(65, "18446744073709551616"));
}

TEST(JsonReader, Rule46bRefusesAByteZeroWhereverItIs) {
  using std::string_view_literals::operator""sv;
  for (const std::string_view text : {"{}\0"sv, "{\"a\":1\0}"sv, "\0{}"sv, "\0"sv, "{}\0x"sv, "\"a\0b\""sv}) {
    EXPECT_NE(problem(text).find("a NUL byte is not allowed"), std::string::npos) << problem(text);
  }
  EXPECT_EQ(problem("{}\n\0"sv), "line 2, column 1: a NUL byte is not allowed");
}

TEST(JsonReader, Rule46bRefusesNestingBeyond32) {
  const std::string deep = std::string(32, '[') + std::string(32, ']');
  EXPECT_EQ(round_trip(deep), deep);
  EXPECT_EQ(problem("[" + deep + "]"), "line 1, column 33: nested deeper than 32 levels");
  EXPECT_EQ(problem(std::string(100'000, '[')), "line 1, column 33: nested deeper than 32 levels");
}

TEST(JsonReader, SaysWhereAndWhatIsWrong) {
  const std::string in_value = "syntax error while parsing value - ";
  EXPECT_EQ(problem(""), "line 1, column 1: the text is empty; it must be JSON, such as {\"id\": \"orders\"}");
  EXPECT_EQ(problem(" \n "), problem(""));
  EXPECT_EQ(problem("["), "line 1, column 2: " + in_value + "unexpected end of input; expected '[', '{', or a literal");
  EXPECT_EQ(problem("[NaN]"), "line 1, column 2: " + in_value + "invalid literal: JSON has neither NaN nor Infinity");
  EXPECT_EQ(problem("[Infinity]"), problem("[NaN]"));
  EXPECT_EQ(problem("[none]").find("NaN"), std::string::npos);
  EXPECT_EQ(problem("{} x"), "line 1, column 4: " + in_value + "invalid literal; expected end of input");
  EXPECT_EQ(problem("[1,]"), "line 1, column 4: " + in_value + "unexpected ']'; expected '[', '{', or a literal");
  EXPECT_EQ(problem("{\"a\":1,}"),
            "line 1, column 8: syntax error while parsing object key - unexpected '}'; expected string literal");
  EXPECT_EQ(problem("{\"a\" 1}"),
            "line 1, column 6: syntax error while parsing object separator - unexpected number literal; expected ':'");
  EXPECT_EQ(problem("{'a':1}"),
            "line 1, column 2: syntax error while parsing object key - invalid literal; expected string literal");
  EXPECT_EQ(problem("\"abc"), "line 1, column 5: " + in_value + "invalid string: missing closing quote");
  EXPECT_EQ(problem("\"\\x\""), "line 1, column 3: " + in_value + "invalid string: forbidden character after backslash");
  EXPECT_EQ(problem("1."), "line 1, column 3: " + in_value + "invalid number; expected digit after '.'");
  for (const char* text : {" \n ", "{a:1}", "[1 2]", "{\"a\":", "\"abc\\", "\"a\nb\"", "\"\\u12\"", "01", "-", "1e+", "nul",
                           "NaN", "// hi\n1", "\xFF"}) {
    EXPECT_TRUE(problem(text).starts_with("line ")) << problem(text);
  }
}

TEST(JsonReader, NeverRepeatsAHostileTextInItsError) {
  EXPECT_LT(problem("[\"" + std::string(100'000, 'x') + "\n\"]").size(), 400U);
  EXPECT_LT(problem("{\"" + std::string(100'000, 'k') + "\":1,\"" + std::string(100'000, 'k') + "\":1}").size(), 400U);
}

TEST(JsonReader, TakesOnlyLinearTimeForManyKeys) {
  std::string text = "{";
  for (int i = 0; i < 50'000; ++i) text += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":0";
  EXPECT_TRUE(read_json(text + "}").ok());
}

TEST(Json, KnowsWhichNumbersAreIntegers) {
  const auto integer = [](std::string_view text) { return read_json(text).value().integer(); };
  EXPECT_EQ(integer("5"), 5);
  EXPECT_EQ(integer("5.0"), 5);
  EXPECT_EQ(integer("3e4"), 30'000);
  EXPECT_EQ(integer("-0"), 0);
  EXPECT_EQ(integer("5.5"), std::nullopt);
  EXPECT_EQ(integer("1e300"), std::nullopt);
  EXPECT_EQ(integer("18446744073709551615"), std::nullopt);
  EXPECT_EQ(integer("\"5\""), std::nullopt);
}

}  // namespace
}  // namespace azora
