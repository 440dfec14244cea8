#include "azora/health/judge.hpp"

#include <gtest/gtest.h>

namespace azora::health {
namespace {

ProbeResult answered(int status) {
  ProbeResult result;
  result.outcome = Outcome::answered;
  result.http_status = status;
  return result;
}

ProbeResult of(Outcome outcome) {
  ProbeResult result;
  result.outcome = outcome;
  return result;
}

TEST(Judge, KnowsWhatEachStatusMeans) {
  const ProbeSpec spec;
  const struct {
    int status;
    Verdict verdict;
  } rows[] = {
      {101, Verdict::warn}, {199, Verdict::warn}, {200, Verdict::pass}, {204, Verdict::pass}, {299, Verdict::pass},
      {300, Verdict::warn}, {301, Verdict::warn}, {307, Verdict::warn}, {404, Verdict::warn}, {429, Verdict::warn},
      {499, Verdict::warn}, {500, Verdict::fail}, {503, Verdict::fail}, {599, Verdict::fail}, {999, Verdict::fail},
  };
  for (const auto& row : rows) EXPECT_EQ(judge(answered(row.status), spec), row.verdict) << row.status;
}

TEST(Judge, ExpectedStatusReplacesTheRuleOf2xx) {
  ProbeSpec spec;
  spec.expected_status = {{204, 204}, {401, 403}, {503, 503}};
  EXPECT_EQ(judge(answered(204), spec), Verdict::pass);
  EXPECT_EQ(judge(answered(200), spec), Verdict::warn);
  EXPECT_EQ(judge(answered(402), spec), Verdict::pass);
  EXPECT_EQ(judge(answered(404), spec), Verdict::warn);
  EXPECT_EQ(judge(answered(503), spec), Verdict::pass);
  EXPECT_EQ(judge(answered(502), spec), Verdict::fail);
}

TEST(Judge, NoAnswerIsAFailureAndNoQuestionDecidesNothing) {
  const ProbeSpec spec;
  for (const Outcome outcome : {Outcome::refused, Outcome::timed_out, Outcome::protocol_error}) {
    EXPECT_EQ(judge(of(outcome), spec), Verdict::fail);
  }
  // A name server in trouble says nothing about the service.
  EXPECT_EQ(judge(of(Outcome::unresolved), spec), Verdict::none);
  EXPECT_EQ(judge(of(Outcome::cancelled), spec), Verdict::none);
  EXPECT_EQ(judge(of(Outcome::overloaded), spec), Verdict::none);
}

TEST(Judge, AConnectionAloneIsAPassForAConnectCheck) {
  EXPECT_EQ(judge(answered(0), ProbeSpec{}), Verdict::pass);
}

TEST(Judge, ExplainsEveryVerdictButPassByWhatWasAskedAndRemarksOnEach) {
  ProbeSpec spec;
  ProbeTarget target;
  target.scheme = "http";
  target.host = "127.0.0.1";
  target.port = 7001;
  const std::string asked = "GET http://127.0.0.1:7001/health: ";
  EXPECT_EQ(explain(answered(200), target, spec), "");
  EXPECT_EQ(explain(answered(503), target, spec), asked + "answered HTTP 503, expected 200-299");
  EXPECT_EQ(explain(answered(302), target, spec),
            asked + "answered HTTP 302, expected 200-299 (redirects are not followed)");
  ProbeResult refused = of(Outcome::refused);
  refused.error = "connection refused";
  EXPECT_EQ(explain(refused, target, spec), asked + "connection refused");
  ProbeResult passing = answered(200);
  passing.remark = "the name a.test could not be looked up again";
  EXPECT_EQ(explain(passing, target, spec), passing.remark);
  refused.remark = passing.remark;
  EXPECT_EQ(explain(refused, target, spec), asked + "connection refused; " + passing.remark);
  spec.expected_status = {{204, 204}, {300, 399}};
  EXPECT_EQ(explain(answered(200), target, spec), asked + "answered HTTP 200, expected 204, 300-399");
  target.kind = ProbeKind::tcp;
  target.scheme = "tcp";
  target.port = 80;
  refused.remark.clear();
  EXPECT_EQ(explain(refused, target, spec), "tcp://127.0.0.1:80: connection refused");
  for (const Outcome outcome : {Outcome::refused, Outcome::timed_out, Outcome::protocol_error, Outcome::unresolved,
                                Outcome::cancelled, Outcome::overloaded}) {
    EXPECT_NE(explain(of(outcome), target, spec), "");
  }
}

}  // namespace
}  // namespace azora::health
