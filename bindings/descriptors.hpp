#pragma once
// The file descriptors that this extension has open, for a child made by fork().
// Threads: the child's only one. Ownership: none; nothing in the child uses or closes them any more. Fails: never.

namespace azora::bindings {

// Closes every one of them. Only for a child made by fork().
void close_our_descriptors();

}  // namespace azora::bindings
