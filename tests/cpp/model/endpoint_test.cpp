#include "azora/model/endpoint.hpp"

#include <gtest/gtest.h>

namespace azora {
namespace {

std::string parts(std::string_view text) {
  const auto parsed = parse_endpoint(text);
  const auto* endpoint = std::get_if<Url>(&parsed);
  if (!endpoint) return "refused";
  return endpoint->scheme + " " + endpoint->host + " " + std::to_string(endpoint->port) + " " +
         endpoint->base_path + " " + endpoint->text;
}

TEST(Endpoint, IsTakenApart) {
  EXPECT_EQ(parts("http://127.0.0.1:7001"), "http 127.0.0.1 7001  http://127.0.0.1:7001");
  EXPECT_EQ(parts("http://localhost"), "http localhost 80  http://localhost");
  EXPECT_EQ(parts("HTTPS://Example.org/"), "https Example.org 443  HTTPS://Example.org");
  EXPECT_EQ(parts("http://h:81/api/v1//"), "http h 81 /api/v1 http://h:81/api/v1");
  EXPECT_EQ(parts("http://[::1]:7001/x"), "http ::1 7001 /x http://[::1]:7001/x");
  EXPECT_EQ(parts("tcp://db_1.local:5432/"), "tcp db_1.local 5432  tcp://db_1.local:5432");
  EXPECT_EQ(parts("http://h/a@b:c"), "http h 80 /a@b:c http://h/a@b:c");
}

TEST(Endpoint, MovesToAnotherPort) {
  const auto moved = [](std::string_view text, std::uint16_t port) {
    return with_port(std::get<Url>(parse_endpoint(text)), port).text;
  };
  EXPECT_EQ(moved("http://h:7000/base", 7001), "http://h:7001/base");
  EXPECT_EQ(moved("HTTP://h:7000", 7000), "HTTP://h:7000");
  EXPECT_EQ(moved("https://[::1]", 8443), "https://[::1]:8443");
}

}  // namespace
}  // namespace azora
