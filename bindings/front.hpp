#pragma once
// Answers the hot reads of the REST server (hot_reads.hpp) in one call from Python, in two forms: an ASGI scope in, the two
// ASGI messages out; or target and headers of a request in, the whole response out. Any other request (another method, a
// mount, an error, a large list) is left to the routes in Python.
// Who may ask is decided by server/access.py alone. This knows exactly one case in which the answer is yes: a caller on
// loopback with a Host that passed before and without a header that access.py calls not plain, such as a forwarding
// one. Every other caller is judged there first.
// Threads: under the GIL, which it never releases: nothing it does can wait.
// Ownership: shares the core. Fails: as Python functions do: null with an error set.
#include "handle.hpp"

namespace azora::bindings {

// Core.front(known_hosts, not_plain, small_fleet): an object whose methods return an answer, or None. `known_hosts` is the
// set of Host headers that passed the rules of access; `not_plain` are names of headers with which a caller is judged
// there ("x-*": all that begin so).
void bind_front(CoreClass& core);

}  // namespace azora::bindings
