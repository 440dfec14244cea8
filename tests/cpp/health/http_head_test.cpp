#include "azora/health/http_head.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace azora::health {
namespace {

using Body = HttpHead::Body;
using Place = HttpHead::Place;

// A head of these lines, which must be well.
HttpHead head_of(std::initializer_list<const char*> lines) {
  HttpHead head;
  bool first = true;
  for (const char* line : lines) {
    const char* problem = first ? head.on_status_line(line) : head.on_field(line, Place::head);
    EXPECT_EQ(problem, nullptr) << line << ": " << problem;
    first = false;
  }
  EXPECT_EQ(head.on_end(), nullptr);
  return head;
}

TEST(HttpHead, SaysHowTheBodyIsFramed) {
  EXPECT_EQ(head_of({"HTTP/1.1 200 OK"}).body(), Body::to_end);
  EXPECT_EQ(head_of({"HTTP/1.1 200 OK", "Transfer-Encoding: Chunked"}).body(), Body::chunked);
  const HttpHead sized = head_of({"HTTP/1.1 200 OK", "content-length: 17"});
  EXPECT_EQ(sized.body(), Body::sized);
  EXPECT_EQ(sized.length(), 17u);
  EXPECT_TRUE(head_of({"HTTP/1.1 204 No Content"}).has_no_body());
  EXPECT_TRUE(head_of({"HTTP/1.1 304 Not Modified"}).has_no_body());
  EXPECT_FALSE(head_of({"HTTP/1.1 200 OK"}).has_no_body());
}

TEST(HttpHead, SaysWhetherTheConnectionEnds) {
  EXPECT_FALSE(head_of({"HTTP/1.1 200 OK"}).ends_connection());
  EXPECT_TRUE(head_of({"HTTP/1.1 200 OK", "Connection: x, close"}).ends_connection());
  EXPECT_TRUE(head_of({"HTTP/1.0 200 OK"}).ends_connection());
  EXPECT_FALSE(head_of({"HTTP/1.0 200 OK", "Connection: keep-alive"}).ends_connection());
}

TEST(HttpHead, ANewStatusLineForgetsAllButThatSomethingWasLenient) {
  HttpHead head = head_of({"HTTP/1.1 103 Early", "X : blank", "Content-Length: 5", "Connection: close"});
  EXPECT_TRUE(head.is_interim());
  EXPECT_TRUE(head.lenient());
  ASSERT_EQ(head.on_status_line("HTTP/1.1 200 OK"), nullptr);
  EXPECT_FALSE(head.is_interim());
  EXPECT_TRUE(head.is_success());
  EXPECT_EQ(head.body(), Body::to_end);
  EXPECT_FALSE(head.ends_connection());
  EXPECT_TRUE(head.lenient());
  EXPECT_STREQ(head.on_field(" folded", Place::head), "a header has no name") << "the fields of the last head do not count";
}

TEST(HttpHead, RefusesWhatCouldBeFramedInTwoWays) {
  HttpHead both;
  ASSERT_EQ(both.on_status_line("HTTP/1.1 200 OK"), nullptr);
  ASSERT_EQ(both.on_field("Content-Length: 1", Place::head), nullptr);
  EXPECT_STREQ(both.on_field("\tfolded", Place::head), "a header that frames the response is folded");
  EXPECT_STREQ(both.on_field("Content-Length: 2", Place::head), "Content-Length is given twice with different values");
  EXPECT_STREQ(both.on_field("Content-Length : 1", Place::head),
               "a header that frames the response has a space before its colon");
  ASSERT_EQ(both.on_field("Transfer-Encoding: chunked", Place::head), nullptr);
  EXPECT_STREQ(both.on_end(), "both Content-Length and Transfer-Encoding are given");
}

TEST(HttpHead, AFieldOfATrailerFramesNothing) {
  HttpHead head = head_of({"HTTP/1.1 200 OK", "Transfer-Encoding: chunked"});
  EXPECT_EQ(head.on_field("Content-Length: 5", Place::trailer), nullptr);
  EXPECT_EQ(head.on_end(), nullptr);
  EXPECT_EQ(head.body(), Body::chunked);
  EXPECT_STREQ(head.on_field(" folded", Place::trailer), "a header that frames the response is folded");
}

TEST(HttpHead, RefusesALineThatIsNoStatusLine) {
  for (const char* line : {"", "HTTP/2 200", "HTTP/1.1 20", "HTTP/1.1 200x", "HTTP/1.1 099 No", "ICY 200 OK"}) {
    HttpHead head;
    EXPECT_NE(head.on_status_line(line), nullptr) << line;
    EXPECT_EQ(head.status(), 0) << line;
  }
}

}  // namespace
}  // namespace azora::health
