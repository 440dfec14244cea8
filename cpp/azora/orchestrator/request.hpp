#pragma once
// A registration by request. Over an entry that a file or Python registered a request changes the fields of the seed
// alone; what to run and how to heal stay its owner's. It is read on the caller's thread by what is published, and
// read again on the control thread where something else is registered by then: so no registration of an owner is
// undone by a request that did not know of it.
// Threads: any; pure functions. Fails: read_request(): invalid_json, invalid_spec, exec_forbidden.
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "azora/base/result.hpp"
#include "azora/model/service_spec.hpp"

namespace azora::orchestrator {

struct Request {
  std::string text;            // as it came
  std::string id;              // of its entry
  SpecPtr over;                // the owner's entry that it was laid over; null: there was none
  std::vector<SpecPtr> specs;  // what it asks to register
};

// The entry of that name that a file or Python registered; null: there is none, or requests may replace it.
using FindOwned = std::function<SpecPtr(std::string_view name)>;

Result<Request> read_request(std::string text, const FindOwned& owned);
// `request` as it is to be registered, given what is registered now.
Result<Request> brought_up_to_date(Request request, const FindOwned& owned);

// `entry` when its owner is a file or Python, else null.
SpecPtr owned_entry(SpecPtr entry);

}  // namespace azora::orchestrator
