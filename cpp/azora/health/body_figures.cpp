#include "azora/health/body_figures.hpp"

#include <nlohmann/json.hpp>

namespace azora::health {
namespace {

using Json = nlohmann::json;

constexpr int kMaxDepth = 32;
constexpr std::size_t kMaxFigureBytes = 4096;

std::shared_ptr<const std::string> text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_discarded()) return nullptr;
  // Bad UTF-8 is replaced, or dumping would throw.
  std::string text = found->dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > kMaxFigureBytes) return nullptr;
  return std::make_shared<const std::string>(std::move(text));
}

}  // namespace

BodyFigures read_figures(std::string_view body) {
  // Most bodies hold neither; looking for the words is far cheaper than parsing.
  if (body.find("\"cpu\"") == std::string_view::npos && body.find("\"memory\"") == std::string_view::npos) return {};
  bool too_deep = false;
  // Keeps only the two keys of the outermost object, so that no large or deep value is ever built.
  const auto keep = [&too_deep](int depth, Json::parse_event_t event, Json& parsed) {
    const bool opens = event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start;
    if (opens && depth >= kMaxDepth) too_deep = true;
    if (too_deep) return false;
    if (depth == 1 && event == Json::parse_event_t::key) return parsed == "cpu" || parsed == "memory";
    return true;
  };
  const Json json = Json::parse(body.begin(), body.end(), keep, false);
  if (too_deep || !json.is_object()) return {};
  return {text_of(json, "cpu"), text_of(json, "memory")};
}

}  // namespace azora::health
