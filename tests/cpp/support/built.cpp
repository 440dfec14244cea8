#include "support/built.hpp"

namespace azora {

const char* const kKeeperProgram = AZORA_KEEPER_BIN;
const char* const kSpecFaultsFile = AZORA_SPEC_FAULTS;

}  // namespace azora
