#pragma once
// What /proc says about processes and the sockets they hold.
// Threads: any; waits for the kernel alone. Fails: what /proc does not show counts as missing, or as unreadable.
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace azora::listeners {

// The whole of a small file; nullopt: it cannot be read.
std::optional<std::string> read_file(const std::string& path);
// nullopt: it cannot be read.
std::optional<std::string> read_link(const std::string& path);

// nullopt: there is no such process.
std::optional<pid_t> parent_of(pid_t pid);
// Its name as the kernel has it, with no byte that could disturb a line of text.
std::string name_of(pid_t pid);
// All processes, in the order of their numbers.
std::vector<pid_t> all_processes();
std::vector<pid_t> children_of(pid_t pid);
// Whether it has the rights of this user alone: as real, effective, saved and file system user. False when not known.
bool is_only_user(pid_t pid, std::uint32_t uid);

enum class Holds { yes, no, unreadable };
// Whether the socket with that inode is open in that process. A process that has ended holds nothing.
Holds holds_socket(pid_t pid, std::uint64_t inode);
// What the link of a descriptor says when it is that socket.
std::string socket_link(std::uint64_t inode);
// Calls visit(inode, path of the descriptor) for each descriptor of that process that is a socket.
void for_each_socket(pid_t pid, const std::function<void(std::uint64_t, const std::string&)>& visit);

// The cgroup that the keeper made for this process's service; 0: the process is in none.
std::uint64_t service_cgroup_of(pid_t pid);

}  // namespace azora::listeners
