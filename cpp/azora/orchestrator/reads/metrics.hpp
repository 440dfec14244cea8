#pragma once
// Figures in the text format of Prometheus.
// Threads: any. Ownership: values. Fails: never.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace azora::orchestrator {

enum class MetricKind : std::uint8_t { gauge, counter };

struct Metric {
  std::string_view name;  // without "azora_"
  MetricKind kind;
  std::string_view help;
  std::uint64_t value;
};

std::string metrics_text(std::span<const Metric> metrics);

}  // namespace azora::orchestrator
