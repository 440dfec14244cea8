#pragma once
// The file descriptors that this extension has open, for a child made by fork().
// Threads: the only thread of the child. Ownership: none; the child does not use or close them any more. Fails: never.

namespace azora::bindings {

// Closes all of them. Call it only in a child made by fork().
void close_our_descriptors();

}  // namespace azora::bindings
