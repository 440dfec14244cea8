#pragma once

namespace azora::bindings {

// Closes every descriptor that this extension has open. Only for a child made by fork(): nothing
// there uses or closes them any more.
void close_our_descriptors();

}  // namespace azora::bindings
