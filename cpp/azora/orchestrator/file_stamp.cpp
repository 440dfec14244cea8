#include "azora/orchestrator/file_stamp.hpp"

#include <sys/stat.h>

#include <string_view>

namespace azora::orchestrator {
namespace {

bool stamp_of(const std::string& file, std::vector<std::uint64_t>& out) {
  struct stat facts {};
  if (::stat(file.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) return false;
  out.push_back(facts.st_ino);
  out.push_back(static_cast<std::uint64_t>(facts.st_mtim.tv_sec) * 1'000'000'000U +
                static_cast<std::uint64_t>(facts.st_mtim.tv_nsec));
  out.push_back(static_cast<std::uint64_t>(facts.st_size));
  return true;
}

std::string below(const std::string& cwd, const std::string& name) {
  return cwd.empty() || name.starts_with('/') ? name : cwd + "/" + name;
}

}  // namespace

std::vector<std::uint64_t> file_stamp(const std::vector<std::string>& argv, const std::string& cwd, const char* path) {
  std::vector<std::uint64_t> out;
  for (std::size_t i = 0; i < argv.size(); ++i) {
    const std::string& element = argv[i];
    if (i > 0 || element.find('/') != std::string::npos) {
      stamp_of(below(cwd, element), out);
      continue;
    }
    std::string_view rest = path == nullptr ? "" : path;
    while (!rest.empty()) {
      const std::size_t end = rest.find(':');
      const std::string folder(rest.substr(0, end));
      if (stamp_of(below(cwd, folder.empty() ? element : folder + "/" + element), out)) break;
      rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    }
  }
  return out;
}

}  // namespace azora::orchestrator
