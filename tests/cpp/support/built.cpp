#include "support/built.hpp"

namespace azora {

const char* const kKeeperProgram = AZORA_KEEPER_BIN;
const char* const kSpecFaultsFile = AZORA_SPEC_FAULTS;
const char* const kEnvFilesFile = AZORA_ENV_FILES;
const char* const kStateV1File = AZORA_STATE_V1;
const char* const kHistoryV1File = AZORA_HISTORY_V1;

}  // namespace azora
