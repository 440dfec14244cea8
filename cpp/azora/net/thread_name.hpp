#pragma once
// The name by which ps, top and gdb show a thread.
#include <pthread.h>

namespace azora::net {

// At most 15 characters.
inline void name_this_thread(const char* name) { pthread_setname_np(pthread_self(), name); }

}  // namespace azora::net
