#include "azora/health/http_request.hpp"

#include <gtest/gtest.h>

namespace azora::health {
namespace {

ProbeTarget target() {
  ProbeTarget target;
  target.scheme = "http";
  target.host = "127.0.0.1";
  target.port = 7001;
  target.path = "/health";
  return target;
}

std::string written(const ProbeTarget& target, bool keep_alive = true) {
  std::string out = "left over";
  write_request(target, keep_alive, out);
  return out;
}

TEST(HttpRequest, AsksForThePathAndForTheConnectionToStay) {
  EXPECT_EQ(written(target()),
            "GET /health HTTP/1.1\r\nHost: 127.0.0.1:7001\r\nUser-Agent: azora-orchestrator\r\n"
            "Connection: keep-alive\r\n\r\n");
  EXPECT_NE(written(target(), false).find("\r\nConnection: close\r\n\r\n"), std::string::npos);
  EXPECT_EQ(written(target()).find("Accept-Encoding"), std::string::npos);
}

TEST(HttpRequest, WritesTheHostAsHttpWantsIt) {
  ProbeTarget t = target();
  t.port = 80;
  EXPECT_EQ(host_header(t), "127.0.0.1");
  t.scheme = "https";
  EXPECT_EQ(host_header(t), "127.0.0.1:80");
  t.port = 443;
  t.host = "::1";
  EXPECT_EQ(host_header(t), "[::1]");
}

TEST(HttpRequest, ConfiguredHeadersReplaceOurOwnButNeverFrameTheMessage) {
  ProbeTarget t = target();
  t.headers = ProbeHeaders{{"host", "shop.example"}, {"User-agent", "x"}, {"X-Key", "a\tb"}, {"Content-Length", "5"},
               {"Transfer-Encoding", "chunked"}, {"Connection", "upgrade"}};
  EXPECT_EQ(written(t),
            "GET /health HTTP/1.1\r\nhost: shop.example\r\nUser-agent: x\r\nX-Key: a\tb\r\n"
            "Connection: keep-alive\r\n\r\n");
}

TEST(HttpRequest, NothingConfiguredBreaksOutOfItsLine) {
  ProbeTarget t = target();
  t.method = "GET / HTTP/1.1\r\nX:";
  t.path = "/a b\r\nX: y\x7f\xc3";
  t.headers = ProbeHeaders{{"A\r\nB", "c"}, {"D", "e\r\nF: g"}, {"", "h"}, {"I", std::string("j\0k", 3)}};
  EXPECT_EQ(written(t),
            "GET /a%20b%0D%0AX:%20y%7F%C3 HTTP/1.1\r\nHost: 127.0.0.1:7001\r\n"
            "User-Agent: azora-orchestrator\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
}

TEST(HttpRequest, OtherMethodsCarryAnEmptyBody) {
  ProbeTarget t = target();
  t.method = "POST";
  EXPECT_NE(written(t).find("\r\nContent-Length: 0\r\n"), std::string::npos);
  EXPECT_FALSE(repeatable("POST"));
  EXPECT_TRUE(repeatable("HEAD"));
}

}  // namespace
}  // namespace azora::health
