#pragma once
// Answers the plain hot reads of the REST server in one call from Python: ASGI scope in, the two ASGI messages out. If
// a request is not plain (another method, a query, a mount, a body, a header of a proxy, a target that names a host, a
// Host header or peer that was not judged yet, an error), it leaves the request to the layer in Python, which checks
// everything again. So there is one set of rules, and only its common case is here.
// Threads: under the GIL, which it never releases: nothing it does can wait.
// Ownership: shares the core. Fails: as Python functions do: null with an error set.
#include "handle.hpp"

namespace azora::bindings {

// Core.front(known_hosts, not_plain): a builtin that answers (start, body), or None. `known_hosts` is a set of Host
// headers that passed the rules of access; `not_plain` are names of headers that make a request not plain ("x-*": all
// that begin so).
void bind_front(CoreClass& core);

}  // namespace azora::bindings
