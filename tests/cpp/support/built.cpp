#include "support/built.hpp"

namespace azora {

const char* const kKeeperProgram = AZORA_KEEPER_BIN;
const char* const kSpecFaultsFile = AZORA_SPEC_FAULTS;
const char* const kEnvFilesFile = AZORA_ENV_FILES;

}  // namespace azora
