#pragma once
// A registration by request. If a file or Python registered the entry, a request changes only the fields of the seed;
// what to run and how to heal stay the owner's. The request is read on the caller's thread against the published state.
// If something else is registered by the time it reaches the control thread, it is read again there. So a request never
// undoes an owner's registration that it did not know about.
// Threads: any; pure functions. Fails: read_request(): invalid_json, invalid_spec, exec_forbidden.
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "azora/base/result.hpp"
#include "azora/model/service_spec.hpp"

namespace azora::orchestrator {

struct Request {
  std::string text;            // as the client sent it
  std::string id;              // of its entry
  SpecPtr over;                // the owner's entry that the request was merged with; null: there was none
  std::vector<SpecPtr> specs;  // what it asks to register
};

// The entry of that name if a file or Python registered it; null: there is none, or requests may replace it.
using FindOwned = std::function<SpecPtr(std::string_view name)>;

Result<Request> read_request(std::string text, const FindOwned& owned);
// All or nothing. Faults of several begin with "services[i].".
Result<std::vector<Request>> read_requests(const std::vector<std::string>& texts, const FindOwned& owned);
// `request` as it must be registered, given what is registered now.
Result<Request> brought_up_to_date(Request request, const FindOwned& owned);

// `entry` when its owner is a file or Python, else null.
SpecPtr owned_entry(SpecPtr entry);

}  // namespace azora::orchestrator
