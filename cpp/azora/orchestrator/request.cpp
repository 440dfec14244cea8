#include "azora/orchestrator/request.hpp"

#include <utility>

#include "azora/model/json_reader.hpp"
#include "azora/model/spec_parser.hpp"

namespace azora::orchestrator {
namespace {

std::string id_in(const std::string& text) {
  const Result<Json> json = read_json(text);
  const Json* id = json ? json.value().find("id") : nullptr;
  return id && id->is(Json::Kind::string) ? id->text : std::string();
}

Result<Request> read_over(std::string text, std::string id, SpecPtr over) {
  Result<std::vector<SpecPtr>> specs = over ? parse_over(text, *over) : parse_service(text, {.origin = Origin::rest});
  if (!specs) return std::move(specs).error();
  return Request{std::move(text), std::move(id), std::move(over), std::move(specs).value()};
}

}  // namespace

Result<Request> read_request(std::string text, const FindOwned& owned) {
  std::string id = id_in(text);
  SpecPtr over = owned(id);
  return read_over(std::move(text), std::move(id), std::move(over));
}

Result<Request> brought_up_to_date(Request request, const FindOwned& owned) {
  SpecPtr over = owned(request.id);
  if (over == request.over) return request;
  return read_over(std::move(request.text), std::move(request.id), std::move(over));
}

SpecPtr owned_entry(SpecPtr entry) {
  return entry && entry->origin != Origin::rest ? std::move(entry) : nullptr;
}

}  // namespace azora::orchestrator
