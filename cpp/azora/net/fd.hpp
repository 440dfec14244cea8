#pragma once
#include "azora/base/fd.hpp"

namespace azora::net {
using azora::Fd;
}  // namespace azora::net
