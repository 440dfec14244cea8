#include "azora/health/judge.hpp"

#include <algorithm>

#include "azora/health/http_request.hpp"

namespace azora::health {
namespace {

bool expected(int status, const ProbeSpec& spec) {
  if (spec.expected_status.empty()) return status >= 200 && status <= 299;
  return std::any_of(spec.expected_status.begin(), spec.expected_status.end(),
                     [status](const auto& range) { return range.first <= status && status <= range.second; });
}

std::string or_else(const std::string& text, const char* fallback) { return text.empty() ? fallback : text; }

// "GET http://127.0.0.1:7001/health", "tcp://127.0.0.1:7001".
std::string question(const ProbeTarget& target) {
  const std::string url = *target.scheme + "://" + authority(target, target.kind == ProbeKind::tcp);
  return target.kind == ProbeKind::http ? *target.method + " " + url + safe_path(*target.path) : url;
}

std::string expectation(const ProbeSpec& spec) {
  if (spec.expected_status.empty()) return "200-299";
  std::string text;
  for (const auto& [low, high] : spec.expected_status) {
    if (!text.empty()) text += ", ";
    text += std::to_string(low);
    if (high != low) text += "-" + std::to_string(high);
  }
  return text;
}

std::string reason_of(const ProbeResult& result, const ProbeSpec& spec) {
  switch (result.outcome) {
    case Outcome::answered: {
      if (judge(result, spec) == Verdict::pass) return {};
      std::string text = "answered HTTP " + std::to_string(result.http_status) + ", expected " + expectation(spec);
      if (result.http_status >= 300 && result.http_status <= 399) text += " (redirects are not followed)";
      return text;
    }
    case Outcome::refused: return or_else(result.error, "no connection");
    case Outcome::timed_out: return or_else(result.error, "no response in time");
    case Outcome::protocol_error: return or_else(result.error, "the response is not HTTP");
    case Outcome::foreign: return or_else(result.error, "another program responded");
    case Outcome::unresolved: return or_else(result.error, "the host name has no address");
    case Outcome::cancelled: return or_else(result.error, "the check was cancelled");
    case Outcome::overloaded: return or_else(result.error, "the check could not be made");
  }
  return {};
}

}  // namespace

Verdict judge(const ProbeResult& result, const ProbeSpec& spec) {
  switch (result.outcome) {
    case Outcome::answered:
      if (result.http_status == 0) return Verdict::pass;  // a connect check has no status
      if (expected(result.http_status, spec)) return Verdict::pass;
      return result.http_status >= 500 ? Verdict::fail : Verdict::warn;
    case Outcome::refused:
    case Outcome::timed_out:
    case Outcome::protocol_error:
    case Outcome::foreign:
      return Verdict::fail;
    case Outcome::unresolved:
    case Outcome::cancelled:
    case Outcome::overloaded:
      return Verdict::none;
  }
  return Verdict::none;
}

std::string explain(const ProbeResult& result, const ProbeTarget& target, const ProbeSpec& spec) {
  std::string text = reason_of(result, spec);
  const bool of_the_question = result.outcome != Outcome::foreign;  // a foreign answer is about the port
  if (!text.empty() && of_the_question) text.insert(0, question(target) + ": ");
  if (result.remark.empty()) return text;
  return text.empty() ? result.remark : text + "; " + result.remark;
}

}  // namespace azora::health
