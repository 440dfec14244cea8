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

Result<std::vector<Request>> read_requests(const std::vector<std::string>& texts, const FindOwned& owned) {
  std::vector<Request> requests;
  std::vector<Fault> faults;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    Result<Request> read = read_request(texts[i], owned);
    if (read) {
      requests.push_back(std::move(read).value());
      continue;
    }
    if (read.error().code != ErrorCode::invalid_spec) return std::move(read).error();
    const std::string prefix = texts.size() > 1 ? "services[" + std::to_string(i) + "]." : "";
    for (const Fault& fault : read.error().faults) faults.push_back({prefix + fault.field, fault.message});
  }
  if (!faults.empty()) return spec_error(std::move(faults));
  return requests;
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
