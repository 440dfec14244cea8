#include "azora/listeners/question.hpp"

#include <algorithm>

namespace azora::listeners {

bool is_name(std::string_view host) {
  if (host.find(':') != std::string_view::npos) return false;
  if (host.ends_with('.')) host.remove_suffix(1);
  const std::size_t dot = host.rfind('.');
  const std::string_view last = dot == std::string_view::npos ? host : host.substr(dot + 1);
  return !last.empty() && (last.front() < '0' || last.front() > '9');
}

std::optional<Question> question_about(std::string_view host, std::uint16_t port, int main) {
  Question question{.port = port, .main = main};
  if (const std::optional<LocalAddress> address = local_address(host)) {
    question.address = *address;
  } else if (is_name(host)) {
    question.name = host;
  } else {
    return std::nullopt;
  }
  return question;
}

}  // namespace azora::listeners
