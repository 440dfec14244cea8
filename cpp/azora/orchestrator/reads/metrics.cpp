#include "azora/orchestrator/reads/metrics.hpp"

namespace azora::orchestrator {

std::string metrics_text(std::span<const Metric> metrics) {
  std::string out;
  for (const Metric& one : metrics) {
    const std::string_view kind = one.kind == MetricKind::gauge ? "gauge" : "counter";
    out.append("# HELP azora_").append(one.name).append(" ").append(one.help).append("\n");
    out.append("# TYPE azora_").append(one.name).append(" ").append(kind).append("\n");
    out.append("azora_").append(one.name).append(" ").append(std::to_string(one.value)).append("\n");
  }
  return out;
}

}  // namespace azora::orchestrator
