#pragma once
// The folder of a shim in the runtime directory: its socket, and the log files of its service. Threads: the program
// has one. Fails: false, and then the current folder is as before.

namespace azora::keeper {

// Makes that folder where it is missing, goes there and listens there.
bool enter_own_folder(const char* path);

// The current folder was removed: makes it anew where it was, unless the runtime directory is gone, too.
bool make_own_folder_anew();

}  // namespace azora::keeper
