#include "azora/health/body_figures.hpp"

#include "azora/model/json_reader.hpp"

namespace azora::health {
namespace {

constexpr std::size_t kMaxFigureBytes = 4096;

std::shared_ptr<const std::string> json_of(const Json& object, std::string_view key) {
  const Json* found = object.find(key);
  if (found == nullptr) return nullptr;
  std::string text = json_text(*found);
  if (text.size() > kMaxFigureBytes) return nullptr;
  return std::make_shared<const std::string>(std::move(text));
}

}  // namespace

BodyFigures read_figures(std::string_view body) {
  // Most bodies hold neither; looking for the words is far cheaper than parsing.
  if (body.find("\"cpu\"") == std::string_view::npos && body.find("\"memory\"") == std::string_view::npos) return {};
  const Result<Json> json = read_json(body);  // linear in the body, whatever it says
  if (!json || !json.value().is(Json::Kind::object)) return {};
  return {json_of(json.value(), "cpu"), json_of(json.value(), "memory")};
}

}  // namespace azora::health
