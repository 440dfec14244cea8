#pragma once
#include "azora/base/thread.hpp"

namespace azora::net {
using azora::start_thread;
}  // namespace azora::net
