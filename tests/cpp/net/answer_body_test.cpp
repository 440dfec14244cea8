#include "azora/net/answer_body.hpp"

#include <gtest/gtest.h>

#include <string>

namespace azora::net {
namespace {

AnswerBody begun(bool keep) {
  AnswerBody body;
  body.begin();
  body.keep(keep);
  return body;
}

TEST(AnswerBody, KeepsWhatBeginsLikeAJsonObjectFromItsBrace) {
  AnswerBody body = begun(true);
  EXPECT_TRUE(body.take(" \r\n"));
  EXPECT_TRUE(body.take("\t{\"a\""));
  EXPECT_TRUE(body.take(":1} "));
  EXPECT_EQ(body.kept(), "{\"a\":1} ");
}

TEST(AnswerBody, KeepsNothingElseAndNothingThatIsNotWanted) {
  AnswerBody text = begun(true);
  EXPECT_TRUE(text.take("ok"));
  EXPECT_TRUE(text.take("{}"));
  EXPECT_EQ(text.kept(), "");
  AnswerBody unwanted = begun(false);
  EXPECT_TRUE(unwanted.take("{}"));
  unwanted.keep(true);  // too late: its first byte has come
  EXPECT_TRUE(unwanted.take("{}"));
  EXPECT_EQ(unwanted.kept(), "");
}

TEST(AnswerBody, TakesSixtyFourKilobytesAndNoMoreKeptOrNot) {
  for (const bool keep : {true, false}) {
    AnswerBody body = begun(keep);
    EXPECT_TRUE(body.take("{" + std::string(AnswerBody::kMaxBytes - 1, ' ')));
    EXPECT_EQ(body.kept().size(), keep ? AnswerBody::kMaxBytes : 0);
    EXPECT_FALSE(body.truncated());
    EXPECT_FALSE(body.take("x"));
    EXPECT_TRUE(body.truncated());
    EXPECT_EQ(body.kept(), "");
    EXPECT_EQ(body.release(), "");
  }
}

TEST(AnswerBody, BeginsAnewAfterEachAnswer) {
  AnswerBody body = begun(true);
  EXPECT_TRUE(body.take("{}"));
  EXPECT_EQ(body.release(), "{}");
  EXPECT_EQ(body.kept(), "");
  body.begin();
  EXPECT_TRUE(body.take("{}"));
  EXPECT_EQ(body.kept(), "") << "nobody has asked to keep this one";
  body.begin();
  body.keep(true);
  EXPECT_TRUE(body.take("{\"b\":2}"));
  EXPECT_EQ(body.kept(), "{\"b\":2}");
}

}  // namespace
}  // namespace azora::net
