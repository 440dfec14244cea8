#pragma once
// Where the build put what tests need. The paths are in one source alone: what else is compiled is the same in every
// folder, and ccache knows it again.
// Threads: any. Ownership: constants.

namespace azora {

extern const char* const kKeeperProgram;   // azora-keeper as built beside the tests
extern const char* const kSpecFaultsFile;  // model/spec_faults.txt
extern const char* const kEnvFilesFile;    // keeper/env_files/env_files.json
extern const char* const kStateV1File;     // store/state_v1.db
extern const char* const kHistoryV1File;   // store/history_v1.db

}  // namespace azora
