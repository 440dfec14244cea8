// Broken inputs at random: whatever comes, the validator answers, and what it accepts holds its own
// rules.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "azora/model/json_reader.hpp"
#include "azora/model/spec_parser.hpp"

namespace azora {
namespace {

const std::string kFull =
    R"({"id":"api","name":"API","type":"core","endpoint":"http://127.0.0.1:7001/b",)"
    R"("healthCheckPath":"/up",)"
    R"("healthCheckInterval":5000,"maxRestarts":5,"restartDelay":100,"priority":7,)"
    R"("dependencies":["db",)"
    R"({"id":"mq","condition":"started","strength":"soft"}],"metadata":{"a":[1,2.5,null]},)"
    R"("group":"g",)"
    R"("weight":2,"healthCheck":{"type":"http","timeout":"1s","unhealthyThreshold":2,)"
    R"("restartThreshold":3,)"
    R"("headers":{"X":"y"},"expectedStatus":["200-204",301]},"process":{"argv":["./x",)"
    R"("{port}"],"env":)"
    R"({"K":"v"},"log":{"maxBytes":"1MiB","files":2},"replicas":2,"ports":"7001-7002","rlimits":)"
    R"({"nofile":{"soft":1,"hard":2}}},"restartPolicy":"always","flapLimit":3})";

std::string mutated(std::string text, std::mt19937& random) {
  static const std::vector<std::string> kPieces = {
      "null",         "-1",     "0",    "1e400",       "99999999999", "\"\"",         "\"\\u0000\"",
      "[]",           "{}",     "[[[[", "\"\\ud800\"", "\xFF",        "\xEF\xBB\xBF", ",",
      "\"id\":\"x\"", "{port}", "true", "1.5",         ":",           "\"",           "}",
      "\xC3\xA9"};
  for (auto changes = 1 + random() % 4; changes > 0; --changes) {
    const std::size_t at = random() % (text.size() + 1);
    switch (random() % 4) {
      case 0: text.insert(at, kPieces[random() % kPieces.size()]); break;
      case 1: text.erase(at, random() % 8); break;
      case 2:
        if (at < text.size()) text[at] = static_cast<char>(random() % 256);
        break;
      default: {  // another value in place of one
        const std::size_t colon = text.find(':', at);
        const std::size_t end = text.find_first_of(",}]", colon == std::string::npos ? 0 : colon);
        if (colon == std::string::npos || end == std::string::npos || end < colon) break;
        text.replace(colon + 1, end - colon - 1, kPieces[random() % kPieces.size()]);
      }
    }
  }
  return text;
}

void holds_its_rules(const ServiceSpec& spec, const std::string& input) {
  EXPECT_TRUE(read_json(spec.config_json()).ok()) << input;
  EXPECT_TRUE(read_json(spec.source()).ok()) << input;
  EXPECT_GE(spec.probe->interval, Millis{100}) << input;
  EXPECT_LE(spec.target.timeout, spec.probe->interval) << input;
  EXPECT_GE(spec.target.timeout, Millis{1}) << input;
  EXPECT_GE(spec.probe->restart_threshold, spec.probe->unhealthy_threshold) << input;
  EXPECT_TRUE(spec.target.path->starts_with('/')) << input;
  EXPECT_EQ(spec.action == &kProcessAction, spec.process.has_value()) << input;
  EXPECT_TRUE(spec.endpoint || spec.target.kind == ProbeKind::process) << input;
  if (spec.process) {
    EXPECT_FALSE(spec.process->argv.empty()) << input;
  }
  if (spec.restart->delay) {
    EXPECT_GE(spec.restart->max_delay, *spec.restart->delay) << input;
  }
}

TEST(SpecMutations, AreAnsweredAndWhatIsAcceptedHoldsItsRules) {
  std::mt19937 random(20240229);
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string input = mutated(kFull, random);
    for (const Origin origin : {Origin::file, Origin::rest}) {
      ParseOptions options;
      options.origin = origin;
      options.base_dir = "/srv";
      const auto result = parse_service(input, options);
      if (!result) {
        EXPECT_FALSE(result.error().message.empty());
        const bool of_fields = !result.error().faults.empty();
        const ErrorCode code = result.error().code;
        EXPECT_TRUE(code == ErrorCode::invalid_spec ? of_fields : code == ErrorCode::invalid_json || !of_fields) << input;
        continue;
      }
      ++accepted;
      for (const SpecPtr& spec : result.value()) holds_its_rules(*spec, input);
      // Its source stands for the same services.
      const auto again = parse_service(result.value().front()->source(), options);
      ASSERT_TRUE(again.ok()) << input << again.error().message;
      ASSERT_EQ(again.value().size(), result.value().size());
      EXPECT_EQ(again.value().front()->source(), result.value().front()->source()) << input;
      EXPECT_EQ(again.value().front()->process, result.value().front()->process) << input;
    }
  }
  EXPECT_GT(accepted, 100);  // the mutations are not all hopeless
}

}  // namespace
}  // namespace azora
