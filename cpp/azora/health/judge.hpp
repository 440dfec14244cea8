#pragma once
// What one answer means. Pure: a result and the service's probe settings in, a verdict out.
// An expected status (2xx unless configured) passes. A status >= 500, no answer in time, no connection, an answer that
// is not HTTP and one of another program fail. Every other status warns, also a redirect (which is never followed).
// A name that was never resolved decides nothing: trouble of the name server is not trouble of the service.
// Threads: any.
#include <cstdint>
#include <string>

#include "azora/health/prober.hpp"
#include "azora/model/probe_spec.hpp"

namespace azora::health {

enum class Verdict : std::uint8_t {
  pass,
  warn,  // it answers, but not as a healthy service does
  fail,
  none,  // we did not really ask: decides nothing
};

Verdict judge(const ProbeResult& result, const ProbeSpec& spec);

// One line for people: what was asked (left out for an answer of another program), why the verdict is not `pass`, and
// the result's remark. Empty when the last two are missing. Contains no bytes that the service sent.
std::string explain(const ProbeResult& result, const ProbeTarget& target, const ProbeSpec& spec);

}  // namespace azora::health
