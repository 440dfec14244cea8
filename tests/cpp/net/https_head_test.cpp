#include "azora/net/https_head.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

namespace azora::net {
namespace {

// The first fault found in these lines, each given with CR LF; empty: none.
std::string fault_of(HttpsHead& head, std::initializer_list<const char*> lines) {
  for (const std::string line : lines) {
    if (const char* fault = head.take(line + "\r\n")) return fault;
  }
  return "";
}

std::string fault_of(std::initializer_list<const char*> lines) {
  HttpsHead head;
  return fault_of(head, lines);
}

TEST(HttpsHead, TellsTheStatusOfTheNewestAnswer) {
  HttpsHead head;
  EXPECT_EQ(head.status(), 0);
  EXPECT_EQ(fault_of(head, {"HTTP/1.1 100 Continue", "", "HTTP/1.1 204 No Content", "Server: x", ""}), "");
  EXPECT_EQ(head.status(), 204);
  EXPECT_EQ(head.answers(), 2);
  EXPECT_TRUE(head.is_success());
  EXPECT_FALSE(head.irregular());
}

TEST(HttpsHead, RefusesWhatCouldBeFramedInTwoWays) {
  EXPECT_EQ(fault_of({"HTTP/1.1 200 OK", "Content-Length: 1", "Content-Length: 2"}),
            "Content-Length is given twice with different values");
  EXPECT_EQ(fault_of({"HTTP/1.1 200 OK", "Content-Length: 1", "transfer-encoding: chunked"}),
            "both Content-Length and Transfer-Encoding are given");
  EXPECT_EQ(fault_of({"HTTP/1.1 200 OK", "Content-Length : 1"}),
            "a header that frames the response has a space before its colon");
  EXPECT_EQ(fault_of({"HTTP/1.1 200 OK", "Content-Length:", " 1"}), "a header that frames the response is folded");
  EXPECT_EQ(fault_of({"HTTP/1.1 200 OK", "HTTP/1.1 200 OK"}), "a header name is malformed");
  EXPECT_EQ(fault_of({"HTTP/1.1 200 OK", "X: a\x01"}), "a header contains control bytes");
}

TEST(HttpsHead, ReadsWhatOtherClientsReadAndSaysSo) {
  const std::vector<std::vector<std::string>> samples{{"X : 1"}, {"Content-Length: 2", "Content-Length: 2"}, {" folded"}};
  for (const std::vector<std::string>& fields : samples) {
    HttpsHead head;
    ASSERT_EQ(head.take("HTTP/1.1 200 OK\r\n"), nullptr);
    EXPECT_FALSE(head.irregular());
    for (const std::string& field : fields) EXPECT_EQ(head.take(field + "\r\n"), nullptr) << field;
    EXPECT_TRUE(head.irregular()) << fields.back();
  }
  HttpsHead bare;
  EXPECT_EQ(bare.take("HTTP/1.1 200 OK\n"), nullptr);
  EXPECT_TRUE(bare.irregular());
}

TEST(HttpsHead, AnAnswerAfterAnInterimOneIsFramedOnItsOwn) {
  EXPECT_EQ(fault_of({"HTTP/1.1 100 Continue", "Content-Length: 1", "", "HTTP/1.1 200 OK", "Content-Length: 2"}), "");
}

TEST(HttpsHead, BoundsLinesAndInterimAnswers) {
  HttpsHead head;
  for (int i = 0; i < 9; ++i) ASSERT_EQ(fault_of(head, {"HTTP/1.1 100 Continue", ""}), "") << i;
  EXPECT_EQ(fault_of(head, {"HTTP/1.1 200 OK"}), "too many interim responses");
  HttpsHead large;
  ASSERT_EQ(fault_of(large, {"HTTP/1.1 200 OK"}), "");
  EXPECT_EQ(large.take("X: " + std::string(16 * 1024, 'x') + "\r\n"), std::string("the headers are larger than 16 KiB"));
}

}  // namespace
}  // namespace azora::net
