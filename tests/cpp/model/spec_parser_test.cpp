#include "azora/model/spec_parser.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace azora {
namespace {

ParseOptions file_options() {
  ParseOptions options;
  options.origin = Origin::file;
  options.base_dir = "/srv/app";
  return options;
}

SpecPtr parse(std::string_view text, const ParseOptions& options = {}) {
  auto result = parse_service(text, options);
  if (!result) {
    ADD_FAILURE() << result.error().message;
    return std::make_shared<const ServiceSpec>();
  }
  EXPECT_EQ(result.value().size(), 1U);
  return result.value().front();
}

template <typename T>
std::string problem(const Result<T>& result) {
  return result ? "accepted"
                : std::string(error_name(result.error().code)) + ": " + result.error().message;
}

TEST(SpecParser, FillsInTheDefaultsOfTheDesign) {
  const SpecPtr spec = parse(R"({"id":"a","type":"core","endpoint":"http://127.0.0.1:7001"})");
  EXPECT_EQ(spec->name(), "a");
  EXPECT_EQ(spec->group(), "a");
  EXPECT_FALSE(spec->explicit_group);
  EXPECT_EQ(spec->priority, 5);
  EXPECT_EQ(spec->effective_weight(), 5.0);
  EXPECT_EQ(spec->action, &kNoAction);
  EXPECT_EQ(spec->probe, ProbeSpec{});
  EXPECT_EQ(spec->restart, RestartPolicy{.on = RestartOn::always});
  EXPECT_EQ(spec->origin, Origin::rest);
}

TEST(SpecParser, ReadsEveryField) {
  const SpecPtr spec = parse(
      R"({"id":"a","name":"A","type":"core","endpoint":"http://h:1/b","healthCheckPath":"//up?x=1",
      "healthCheckInterval":10000,"maxRestarts":-1,"restartDelay":500,"priority":9,
      "dependencies":["db",{"id":"mq@1","condition":"started","strength":"soft"}],"group":"g",)"
      R"("weight":2.5,
      "healthCheck":{"timeout":900,"unhealthyThreshold":3,"restartThreshold":4,"healthyThreshold":1,
        "startTimeout":5000,"method":"HEAD","headers":{"X-A":"1"},"expectedStatus":[204,"300-399"],"reuseConnection":true},
      "restartPolicy":"always","restartFactor":1.5,"restartMaxDelay":9000,"stableAfter":1000,
      "failedRetryInterval":7000,"startInterval":50,"killTimeout":2000,"flapLimit":0})");
  EXPECT_EQ(spec->target.path, "/b/up?x=1");
  EXPECT_EQ(spec->probe->interval, Millis{10'000});
  EXPECT_EQ(spec->target.timeout, Millis{900});
  EXPECT_EQ(spec->probe->unhealthy_threshold, 3);
  EXPECT_EQ(spec->probe->restart_threshold, 4);
  EXPECT_EQ(spec->probe->healthy_threshold, 1);
  EXPECT_EQ(spec->probe->start_timeout, Millis{5000});
  EXPECT_EQ(spec->probe->start_interval, Millis{50});
  EXPECT_EQ(spec->target.method, "HEAD");
  EXPECT_TRUE(spec->target.reuse_connection);
  EXPECT_EQ(spec->target.headers, (std::vector<std::pair<std::string, std::string>>{{"X-A", "1"}}));
  EXPECT_EQ(spec->probe->expected_status,
            (std::vector<std::pair<int, int>>{{204, 204}, {300, 399}}));
  EXPECT_EQ(spec->dependencies,
            (std::vector<Dependency>{{"db", Condition::healthy, Strength::hard},
                                     {"mq@1", Condition::started, Strength::soft}}));
  EXPECT_TRUE(spec->explicit_group);
  EXPECT_EQ(spec->group(), "g");
  EXPECT_EQ(spec->weight, 2.5);
  EXPECT_EQ(spec->restart->on, RestartOn::always);
  EXPECT_EQ(spec->restart->max_restarts, -1);
  EXPECT_EQ(spec->restart->delay, Millis{500});
  EXPECT_EQ(spec->restart->factor, 1.5);
  EXPECT_EQ(spec->restart->max_delay, Millis{9000});
  EXPECT_EQ(spec->restart->stable_after, Millis{1000});
  EXPECT_EQ(spec->restart->failed_retry_interval, Millis{7000});
  EXPECT_EQ(spec->restart->kill_timeout, Millis{2000});
  EXPECT_EQ(spec->restart->flap_limit, 0);
}

TEST(SpecParser, Rule54WhatUnsetRestartPolicyMeansDependsOnTheEndpoint) {
  const auto policy = [](const std::string& more) {
    return parse(R"({"id":"a","type":"c","process":{"argv":["true"]},)" + more + "}", file_options())->restart->on;
  };
  EXPECT_EQ(policy(R"("endpoint":"http://127.0.0.1:7001")"), RestartOn::always);
  EXPECT_EQ(policy(R"("endpoint":"tcp://127.0.0.1:7001")"), RestartOn::always);
  EXPECT_EQ(policy(R"("healthCheck":{"type":"process"})"), RestartOn::on_failure);
  EXPECT_EQ(policy(R"("endpoint":"http://127.0.0.1:7001","restartPolicy":"on-failure")"), RestartOn::on_failure);
  EXPECT_EQ(policy(R"("healthCheck":{"type":"process"},"restartPolicy":"always")"), RestartOn::always);
}

TEST(SpecParser, Rule66ADependencySaysWhetherItsRestartIsFollowed) {
  const SpecPtr spec = parse(R"({"id":"a","type":"c","endpoint":"http://h","dependencies":["x",{"id":"y"},)"
                             R"({"id":"z","onRestart":"restart"},{"id":"u","onRestart":"none"}]})");
  std::vector<OnRestart> words;
  for (const Dependency& one : spec->dependencies) words.push_back(one.on_restart);
  EXPECT_EQ(words, (std::vector{OnRestart::none, OnRestart::none, OnRestart::restart, OnRestart::none}));
  EXPECT_NE(spec->config_json().find(R"({"id":"z","onRestart":"restart"})"), std::string::npos) << spec->config_json();
}

TEST(SpecParser, Rule18DerivesWhatIsNotGiven) {
  const auto probe = [](const std::string& more) {
    return parse(R"({"id":"a","type":"c","endpoint":"http://h",)" + more + "}")->probe;
  };
  EXPECT_EQ(parse(R"({"id":"a","type":"c","endpoint":"http://h","healthCheckInterval":200})")->target.timeout, Millis{200});
  EXPECT_EQ(probe(R"("healthCheckInterval":200)")->start_timeout, Millis{30'000});
  EXPECT_EQ(probe(R"("healthCheckInterval":200)")->start_interval, Millis{200});
  EXPECT_EQ(probe(R"("healthCheckInterval":60000)")->start_timeout, Millis{120'000});
  EXPECT_EQ(probe(R"("healthCheckInterval":2147483647)")->start_timeout, Millis{4'294'967'294});
  EXPECT_EQ(probe(R"("healthCheck":{"unhealthyThreshold":7})")->restart_threshold, 7);
  EXPECT_EQ(probe(R"("healthCheck":{"restartThreshold":1})")->unhealthy_threshold, 1);
  EXPECT_EQ(probe(R"("healthCheck":{"restartThreshold":9})")->unhealthy_threshold, 2);
}

TEST(SpecParser, Rule46bALargeRestartDelayRaisesTheDefaultMaximum) {
  const SpecPtr spec =
      parse(R"({"id":"a","type":"c","endpoint":"http://h","restartDelay":120000})");
  EXPECT_EQ(spec->restart->max_delay, Millis{120'000});
}

TEST(SpecParser, Rule19EndpointMayBeAbsentWithAProcessCheckAndTcpEndpointsGetTcpChecks) {
  const SpecPtr quiet = parse(
      R"({"id":"a","type":"c","healthCheck":{"type":"process"},"process":{"argv":["sleep","9"]}})",
      file_options());
  EXPECT_FALSE(quiet->endpoint.has_value());
  EXPECT_EQ(quiet->target.kind, ProbeKind::process);
  EXPECT_NE(quiet->config_json().find(R"("endpoint":null)"), std::string::npos);
  EXPECT_EQ(parse(R"({"id":"a","type":"c","endpoint":"tcp://h:5432"})")->target.kind,
            ProbeKind::tcp);
  EXPECT_EQ(parse(R"({"id":"a","type":"c","endpoint":"http://h","healthCheck":{"type":"tcp"}})")
                ->target.kind,
            ProbeKind::tcp);
}

TEST(SpecParser, ReadsAProcessWithItsPathsFromTheFolderOfTheFile) {
  const SpecPtr spec = parse(
      R"({"id":"a","type":"c","endpoint":"http://127.0.0.1:7001","process":{"argv":["bin/run",)"
      R"("--port={port}","{index}","{x}"],
      "env":{"P":"{port}"},"envFile":"../a.env","user":"joe","umask":"027","stopSignal":"INT",)"
      R"("stopTimeout":"1.5s","stopMode":"tree","orphanTimeout":"3s",
      "log":{"maxBytes":"1MiB","files":2},"inheritEnv":["SSH_AUTH_SOCK"],"noNewPrivs":false,"memoryLimit":"100MiB",
      "rlimits":{"nofile":4096,"core":{"soft":0,"hard":"unlimited"}}}})",
      file_options());
  ASSERT_TRUE(spec->process.has_value());
  const LaunchSpec& launch = *spec->process;
  EXPECT_EQ(spec->action, &kProcessAction);
  EXPECT_EQ(launch.argv, (std::vector<std::string>{"/srv/app/bin/run", "--port=7001", "0", "{x}"}));
  EXPECT_EQ(launch.cwd, "/srv/app");
  EXPECT_EQ(launch.env_file, "/srv/a.env");
  EXPECT_EQ(launch.env, (std::vector<std::pair<std::string, std::string>>{{"P", "7001"}}));
  EXPECT_EQ(launch.user, "joe");
  EXPECT_EQ(launch.umask, 027U);
  EXPECT_EQ(launch.stop_signal, SIGINT);
  EXPECT_EQ(launch.memory_limit, 104'857'600);
  EXPECT_EQ(launch.stop_timeout, Millis{1500});
  EXPECT_EQ(launch.stop_mode, StopMode::tree);
  EXPECT_EQ(launch.orphan_timeout, Millis{3000});
  EXPECT_EQ(launch.log, (LogLimits{1'048'576, 2}));
  EXPECT_EQ(launch.inherit_env, (std::vector<std::string>{"SSH_AUTH_SOCK"}));
  EXPECT_FALSE(launch.no_new_privs);
  EXPECT_EQ(launch.rlimits.at("nofile"), (std::pair<std::int64_t, std::int64_t>{4096, 4096}));
  EXPECT_EQ(launch.rlimits.at("core"), (std::pair<std::int64_t, std::int64_t>{0, -1}));
}

TEST(SpecParser, LooksABareProgramUpOnPathAndKeepsAbsoluteOnes) {
  const auto first = [](const std::string& program) {
    return parse(R"({"id":"a","type":"c","endpoint":"http://h","process":{"cwd":"sub","argv":[")" +
                     program + "\"]}}",
                 file_options())
        ->process->argv.front();
  };
  EXPECT_EQ(first("python3"), "python3");
  EXPECT_EQ(first("/bin/sh"), "/bin/sh");
  EXPECT_EQ(first("./run"), "/srv/app/run");
}

TEST(SpecParser, ExpandsReplicas) {
  const auto result = parse_service(
      R"({"id":"api","type":"c","endpoint":"http://h:7000/v1","process":{"replicas":3,)"
      R"("argv":["x","{port}","{index}"]}})",
      file_options());
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result.value().size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    const ServiceSpec& spec = *result.value()[i];
    const std::string index = std::to_string(i);
    EXPECT_EQ(spec.id, "api@" + index);
    EXPECT_EQ(spec.name(), "api@" + index);
    EXPECT_EQ(spec.group(), "api");
    EXPECT_FALSE(spec.explicit_group);
    EXPECT_FALSE(spec.is_alone());
    EXPECT_EQ(spec.endpoint->text, "http://h:700" + index + "/v1");
    EXPECT_EQ(spec.process->argv, (std::vector<std::string>{"x", "700" + index, index}));
    EXPECT_NE(spec.config_json().find(R"("group":"api")"), std::string::npos);
  }
}

TEST(SpecParser, KeepsAnEntryWithReplicasAsItWasWrittenOnceForAllOfThem) {
  const auto result = parse_service(
      R"({"id":"api","type":"c","endpoint":"http://h:7000","process":{"replicas":2,"env":{"K":"v"},)"
      R"("argv":["x","{port}"]}})",
      file_options());
  ASSERT_TRUE(result.ok());
  const ServiceSpec& first = *result.value()[0];
  const ServiceSpec& second = *result.value()[1];
  ASSERT_NE(first.entry, nullptr);
  EXPECT_EQ(first.entry, second.entry);
  EXPECT_EQ(first.source_json, second.source_json);
  EXPECT_NE(first.source().find(R"("env":{"K":"v"})"), std::string::npos);
  EXPECT_EQ(first.entry_id(), "api");
  EXPECT_EQ(first.entry->id, "api");
  EXPECT_EQ(first.entry->replicas, 2);
  EXPECT_EQ(first.entry->endpoint->text, "http://h:7000");
  EXPECT_EQ(first.entry->config_json(),
            R"({"id":"api","name":"api","type":"c","endpoint":"http://h:7000","healthCheckPath":"/health",)"
            R"("healthCheckInterval":30000,"maxRestarts":5,"priority":5,"dependencies":[],)"
            R"("process":{"replicas":2,"env":{"K":"***"},"argv":["x","{port}"]}})");
  EXPECT_EQ(first.entry->source(), first.source());
  const SpecPtr single = parse(R"({"id":"a","type":"c","endpoint":"http://h"})");
  EXPECT_EQ(single->entry, nullptr);
  EXPECT_EQ(single->source_json, nullptr);
  EXPECT_EQ(single->entry_id(), "a");
  EXPECT_TRUE(single->is_alone());
}

TEST(SpecParser, TakesThePortsOfReplicasFromAListOrARange) {
  const auto ports = [](const std::string& text) {
    const auto result = parse_service(
        R"({"id":"api","name":"API","type":"c","endpoint":"http://h","process":{"replicas":2,)"
        R"("argv":["x"],"ports":)" +
            text + "}}",
        file_options());
    std::string all;
    for (const SpecPtr& spec : result.value()) {
      all += std::to_string(spec->target.port) + " ";
      EXPECT_EQ(spec->name(), "API");
    }
    return all;
  };
  EXPECT_EQ(ports("[8001,9001]"), "8001 9001 ");
  EXPECT_EQ(ports("\"8001-8004\""), "8001 8002 ");
}

TEST(SpecParser, Rule22ProcessMeansThatWeRestartItAndACallableThatItDoes) {
  EXPECT_EQ(parse(R"({"id":"a","type":"c","endpoint":"http://h","process":{"argv":["x"]},)"
                  R"("restart":"process"})",
                  file_options())
                ->action,
            &kProcessAction);
  EXPECT_EQ(parse(R"({"id":"a","type":"c","endpoint":"http://h","process":{"argv":["x"]},)"
                  R"("restart":{"type":"process"}})",
                  file_options())
                ->action,
            &kProcessAction);
  ParseOptions python;
  python.origin = Origin::python;
  python.given_action = &kCallableAction;
  const SpecPtr spec = parse(R"({"id":"a","type":"c","endpoint":"http://h"})", python);
  EXPECT_EQ(spec->action, &kCallableAction);
  EXPECT_EQ(spec->restart->failed_retry_interval, Millis{0});
  EXPECT_EQ(
      parse(R"({"id":"a","type":"c","endpoint":"http://h","failedRetryInterval":"1m"})", python)
          ->restart->failed_retry_interval,
      Millis{60'000});
}

TEST(SpecParser, EchoesTheSeedsKeysFirstAndInItsOrder) {
  EXPECT_EQ(parse(R"({"zone":null,"dependencies":["x"],"id":"a","extra":{"k":[1.50]},"weight":2,
                  "endpoint":"http://h/","restartDelay":5000,"metadata":{"m":1},"type":"ui"})")
                ->config_json(),
            R"({"id":"a","name":"a","type":"ui","endpoint":"http://h","healthCheckPath":"/health",)"
            R"("healthCheckInterval":30000,"maxRestarts":5,"restartDelay":5000,"priority":5,)"
            R"("dependencies":["x"],)"
            R"("metadata":{"m":1},"zone":null,"extra":{"k":[1.50]},"weight":2})");
}

TEST(SpecParser, EchoesUnitsAsIntegersAndNoSecrets) {
  EXPECT_EQ(parse(R"({"id":"a","type":"c","endpoint":"http://h","healthCheckInterval":"5s",)"
                  R"("stableAfter":"1m",
                  "healthCheck":{"timeout":"500ms","headers":{"X-Api-Key":"s3cret","X-Zone":"eu"}},
                  "process":{"argv":["x"],"env":{"PASSWORD":"s3cret"},)"
                  R"("log":{"maxBytes":"64KiB"},"cwd":"/tmp"}})",
                  file_options())
                ->config_json(),
            R"({"id":"a","name":"a","type":"c","endpoint":"http://h","healthCheckPath":"/health",)"
            R"("healthCheckInterval":5000,"maxRestarts":5,"priority":5,"dependencies":[],)"
            R"("stableAfter":60000,)"
            R"("healthCheck":{"timeout":500,"headers":{"X-Api-Key":"***","X-Zone":"eu"}},)"
            R"("process":{"argv":["x"],)"
            R"("env":{"PASSWORD":"***"},"log":{"maxBytes":65536},"cwd":"/tmp"}})");
}

TEST(SpecParser, KeepsASourceThatParsesToTheSameAgainFromAnywhere) {
  const std::string text =
      R"({"id":"a","type":"c","endpoint":"http://h:80","healthCheckInterval":"5s",)"
      R"("process":{"argv":["./x","{port}"],
      "env":{"K":"v"},"envFile":"e"}})";
  const SpecPtr spec = parse(text, file_options());
  ParseOptions elsewhere = file_options();
  elsewhere.base_dir = "/other";
  const SpecPtr again = parse(spec->source(), elsewhere);
  EXPECT_EQ(again->process, spec->process);
  EXPECT_EQ(again->probe, spec->probe);
  EXPECT_EQ(again->source(), spec->source());
}

TEST(SpecParser, ParsesAListAllOrNothing) {
  const auto good = parse_services(
      R"([{"id":"a","type":"c","endpoint":"http://h"},{"id":"b","type":"c","endpoint":"http://h",
      "process":{"argv":["x"],"replicas":2}}])",
      file_options());
  ASSERT_TRUE(good.ok()) << good.error().message;
  EXPECT_EQ(good.value().size(), 3U);
  const auto bad = parse_services(
      R"([{"id":"a","type":"c"},5,{"id":"b","type":"c","endpoint":"http://h","priority":0}])", {});
  ASSERT_FALSE(bad.ok());
  ASSERT_EQ(bad.error().faults.size(), 3U);
  EXPECT_EQ(bad.error().faults[0].field, "services[0].endpoint");
  EXPECT_EQ(bad.error().faults[1].field, "services[1]");
  EXPECT_EQ(bad.error().faults[2].field, "services[2].priority");
  const auto command = parse_services(R"([{"id":"a","type":"c","process":{}}])", {});
  EXPECT_EQ(command.error().code, ErrorCode::exec_forbidden);
  EXPECT_EQ(parse_services("{}", {}).error().message,
            "services: is an object; it must be a list of services");
}

TEST(ParseOver, Rule29ReplacesTheSeedsFieldsAndKeepsTheRest) {
  const SpecPtr old =
      parse(R"({"id":"a","type":"c","endpoint":"http://h:7001","maxRestarts":9,"weight":2,)"
            R"("healthCheck":{"timeout":"2s"},
      "process":{"argv":["./x","{port}"],"env":{"K":"v"}}})",
            file_options());
  const auto result =
      parse_over(R"({"id":"a","name":"New","type":"core","endpoint":"http://h:7002",)"
                 R"("metadata":{"by":"rest"},"extra":1})",
                 *old);
  ASSERT_TRUE(result.ok()) << result.error().message;
  const ServiceSpec& spec = *result.value().front();
  EXPECT_EQ(spec.name(), "New");
  EXPECT_EQ(spec.type, "core");
  EXPECT_EQ(spec.restart->max_restarts, 5);  // a field of the seed that was not given again
  EXPECT_EQ(spec.weight, 2.0);
  EXPECT_EQ(spec.target.timeout, Millis{2000});
  EXPECT_EQ(spec.process->argv, (std::vector<std::string>{"/srv/app/x", "7002"}));
  EXPECT_EQ(spec.process->cwd, "/srv/app");
  EXPECT_EQ(spec.origin, Origin::file);
  EXPECT_EQ(spec.action, &kProcessAction);
  EXPECT_NE(spec.config_json().find(R"("metadata":{"by":"rest"},"extra":1,"weight":2)"),
            std::string::npos);
  // And once more over the result.
  const auto again = parse_over(R"({"id":"a","type":"core","endpoint":"http://h:7003"})", spec);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again.value().front()->process->argv.back(), "7003");
  EXPECT_EQ(again.value().front()->config_json().find("extra"), std::string::npos);
}

TEST(ParseOver, ChangesAllReplicasOfAnEntry) {
  const auto old = parse_service(
      R"({"id":"a","type":"c","endpoint":"http://h:7001","weight":2,"process":{"argv":["x","{port}"],"replicas":2}})",
      file_options());
  const auto result = parse_over(R"({"id":"a","type":"core","endpoint":"http://h:8001"})", *old.value()[1]);
  ASSERT_TRUE(result.ok()) << result.error().message;
  ASSERT_EQ(result.value().size(), 2U);
  for (const SpecPtr& spec : result.value()) {
    EXPECT_EQ(spec->type, "core");
    EXPECT_EQ(spec->weight, 2.0);
    EXPECT_EQ(spec->origin, Origin::file);
  }
  EXPECT_EQ(result.value()[1]->id, "a@1");
  EXPECT_EQ(result.value()[1]->process->argv.back(), "8002");
}

TEST(ParseOver, RefusesCommandsAndWhatOnlyTheOwnerMayChange) {
  const SpecPtr old =
      parse(R"({"id":"a","type":"c","endpoint":"http://h","weight":2,"process":{"argv":["x"]}})",
            file_options());
  EXPECT_EQ(problem(parse_over(
                R"({"id":"a","type":"c","endpoint":"http://h","process":{"argv":["y"]}})", *old)),
            "exec_forbidden: process: a request cannot say what to run; put it into the config file or register the "
            "service from Python");
  EXPECT_EQ(problem(parse_over(
                R"({"id":"a","type":"c","endpoint":"http://h","weight":3,"group":"g"})", *old)),
            "invalid_spec: weight: cannot be changed by a request: this service comes from the "
            "config file "
            "or from Python; leave it out, or change it there; group: cannot be changed by a "
            "request: this "
            "service comes from the config file or from Python; leave it out, or change it there");
  EXPECT_EQ(problem(parse_over(R"({"id":"a","type":"c","endpoint":"http://h","weight":2})", *old)),
            "accepted");
  EXPECT_EQ(
      problem(parse_over(
          R"({"id":"a","type":"c","endpoint":"http://h","healthCheckInterval":"5s","priority":99})",
          *old)),
      "invalid_spec: healthCheckInterval: is \"5s\"; it must be an integer of at least 100 "
      "(milliseconds); "
      "priority: is 99; it must be an integer from 1 to 10");
  EXPECT_EQ(problem(parse_over("[", *old)),
            "invalid_json: line 1, column 2: syntax error while parsing value - unexpected end of input; expected '[', '{', or a "
            "literal");
}

TEST(ParseOver, KeepsACallableAndAnAbsentEndpoint) {
  ParseOptions python;
  python.origin = Origin::python;
  python.given_action = &kCallableAction;
  const SpecPtr callable = parse(R"({"id":"a","type":"c","endpoint":"http://h"})", python);
  EXPECT_EQ(
      parse_over(R"({"id":"a","type":"c","endpoint":"http://h2"})", *callable).value().front()->action,
      &kCallableAction);
  const SpecPtr quiet =
      parse(R"({"id":"a","type":"c","healthCheck":{"type":"process"},"process":{"argv":["x"]}})",
            file_options());
  EXPECT_EQ(problem(parse_over(R"({"id":"a","type":"d"})", *quiet)), "accepted");
}

}  // namespace
}  // namespace azora
