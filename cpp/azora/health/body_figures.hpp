#pragma once
// The keys `cpu` and `memory` of a check's JSON body, copied as JSON text. The body is hostile: nothing but
// an object at most 32 levels deep counts, and a figure longer than 4 KiB is dropped.
// Threads: any (pure). Fails: no figures.
#include <memory>
#include <string>
#include <string_view>

namespace azora::health {

struct BodyFigures {
  std::shared_ptr<const std::string> cpu;     // null: none
  std::shared_ptr<const std::string> memory;  // null: none
};

BodyFigures read_figures(std::string_view body);

}  // namespace azora::health
