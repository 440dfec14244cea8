// The strings of a launch: relative paths made absolute, {port} and {index} replaced (spec_template.hpp).
#include <filesystem>
#include <system_error>

#include "azora/model/spec_template.hpp"
#include "azora/model/spec_parts.hpp"

namespace azora {
namespace {

Json* member(Json& object, std::string_view key) {
  for (JsonMember& entry : object.members) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

void make_absolute(Json* path, const std::filesystem::path& base) {
  if (!path || !path->is(Json::Kind::string) || path->text.empty() || path->text.front() == '/')
    return;
  // The user's string is a template; the folder put in front of it is not.
  path->text = (std::filesystem::path(escaped(base.string())) / path->text).lexically_normal().string();
}

}  // namespace

void resolve_paths(Json& process, const std::string& base_dir) {
  std::error_code ignored;  // without a working directory the paths stay relative to "/"
  const std::filesystem::path base =
      base_dir.empty() ? std::filesystem::current_path(ignored) : std::filesystem::path(base_dir);
  Json* cwd = member(process, "cwd");
  make_absolute(cwd, base);
  make_absolute(member(process, "envFile"), base);
  if (Json* argv = member(process, "argv"); argv && !argv->items.empty()) {
    Json& program = argv->items.front();
    // The start looks up a bare name on PATH each time, as a shell does.
    if (program.text.find('/') != std::string::npos) make_absolute(&program, base);
  }
  if (!cwd && !base_dir.empty()) process.members.push_back({"cwd", Json::of_text(escaped(base_dir))});
}

LaunchSpec substituted(const LaunchSpec& launch, std::optional<std::uint16_t> port, int index) {
  LaunchSpec result = launch;
  const auto substitute = [&](std::string& text) {
    if (text.find('{') != std::string::npos) text = fill_in(text, port, index);
  };
  for (std::string& argument : result.argv) substitute(argument);
  for (auto& [name, value] : result.env) substitute(value);
  substitute(result.cwd);
  substitute(result.env_file);
  return result;
}

}  // namespace azora
