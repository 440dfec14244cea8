// R58: {port} and {index}, and the braces that stay.
#include "azora/model/spec_template.hpp"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "azora/model/spec_parser.hpp"

namespace azora {
namespace {

TEST(Rule58, BracesAreLiteralButForPortAndIndex) {
  const std::vector<std::tuple<std::string, std::string, bool>> cases{
      {"", "", false},
      {"plain", "plain", false},
      {"{port}", "7001", true},
      {"--bind=127.0.0.1:{port}/{index}", "--bind=127.0.0.1:7001/2", true},
      {"{port}{port}", "70017001", true},
      {"{{port}}", "{port}", false},
      {"{{index}}", "{index}", false},
      {"{{port}}{port}", "{port}7001", true},
      {"{{port}", "{7001", true},
      {"{port}}", "7001}", true},
      {"{ port }", "{ port }", false},
      {"{Port}", "{Port}", false},
      {"${port}", "$7001", true},
      {"{{.Names}} {}", "{{.Names}} {}", false},
      {R"({"a": {"b": {index}}})", R"({"a": {"b": 2}})", false},
      {"{", "{", false},
      {"{{", "{{", false},
      {"{port", "{port", false},
  };
  for (const auto& [text, filled, uses] : cases) {
    EXPECT_EQ(fill_in(text, 7001, 2), filled) << text;
    EXPECT_EQ(uses_port(text), uses) << text;
    EXPECT_EQ(fill_in(escaped(text), 7001, 2), text);
    EXPECT_FALSE(uses_port(escaped(text))) << text;
  }
  EXPECT_EQ(fill_in("{port} {{port}} {index}", std::nullopt, 0), "{port} {port} 0");
}

LaunchSpec launch_in(const std::string& folder, const std::string& process) {
  ParseOptions options;
  options.origin = Origin::file;
  options.base_dir = folder;
  const auto parsed =
      parse_service(R"({"id":"a","type":"t","healthCheck":{"type":"process"},"process":)" + process + "}", options);
  EXPECT_TRUE(parsed.ok()) << parsed.error().message;
  return parsed.ok() ? *parsed.value().front()->process : LaunchSpec{};
}

TEST(Rule58, DoubledBracesNeedNoEndpoint) {
  const LaunchSpec launch = launch_in("/srv", R"({"argv":["x","{{port}}"],"env":{"A":"{{port}}{{index}}"},"cwd":"{{index}}"})");
  EXPECT_EQ(launch.argv[1], "{port}");
  EXPECT_EQ(launch.env[0].second, "{port}{index}");
  EXPECT_EQ(launch.cwd, "/srv/{index}");
}

TEST(Rule58, TheFolderOfTheFileIsNoTemplate) {
  const std::string folder = "/srv/{port}/{{index}}";
  EXPECT_EQ(launch_in(folder, R"({"argv":["x"]})").cwd, folder);
  const LaunchSpec launch = launch_in(folder, R"({"argv":["./run-{index}"],"cwd":"sub","envFile":"a.env"})");
  EXPECT_EQ(launch.argv[0], folder + "/run-0");
  EXPECT_EQ(launch.cwd, folder + "/sub");
  EXPECT_EQ(launch.env_file, folder + "/a.env");
}

}  // namespace
}  // namespace azora
