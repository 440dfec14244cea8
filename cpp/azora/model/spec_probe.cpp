#include <algorithm>
#include <charconv>

#include "azora/model/endpoint.hpp"
#include "azora/model/spec_parts.hpp"

namespace azora {
namespace {

constexpr std::string_view kStatusRule =
    "an HTTP status from 100 to 599, a range such as \"200-299\", or a list of these";

std::string in_ms(Millis value) { return std::to_string(value.count()); }

bool is_path(std::string_view text) {
  return text.starts_with('/') && text.size() <= kMaxUrl &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return c > 0x20 && c < 0x7F && c != '#'; });
}

std::optional<int> read_status(std::string_view digits) {
  int status = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), status);
  const bool right = fault == std::errc{} && end == digits.data() + digits.size() &&
                     digits.size() == 3 && status >= 100 && status <= 599;
  return right ? std::optional(status) : std::nullopt;
}

std::optional<std::pair<int, int>> read_status_range(const Json& value) {
  if (value.is(Json::Kind::number)) {
    const auto status = value.integer();
    if (!status || *status < 100 || *status > 599) return std::nullopt;
    return std::pair(static_cast<int>(*status), static_cast<int>(*status));
  }
  if (!value.is(Json::Kind::string)) return std::nullopt;
  const std::string_view text = value.text;
  const std::size_t dash = text.find('-');
  const auto low = read_status(text.substr(0, dash));
  const auto high = dash == std::string_view::npos ? low : read_status(text.substr(dash + 1));
  if (!low || !high || *low > *high) return std::nullopt;
  return std::pair(*low, *high);
}

void read_expected_status(const CheckedObject& check, CheckPlan& probe, SpecContext& context) {
  const Json* value = check.get("expectedStatus");
  if (!value) return;
  const std::string path = check.path_of("expectedStatus");
  if (!value->is(Json::Kind::array)) {
    const auto range = read_status_range(*value);
    if (!range) return context.fault(path, is_but_must_be(*value, kStatusRule));
    probe.spec.expected_status = {*range};
    return;
  }
  if (value->items.empty()) context.fault(path, "is an empty list; leave it out or name a status");
  for (std::size_t i = 0; i < value->items.size(); ++i) {
    if (const auto range = read_status_range(value->items[i])) {
      probe.spec.expected_status.push_back(*range);
    } else {
      context.fault(
          index_path(path, i),
          is_but_must_be(value->items[i],
                         "an HTTP status from 100 to 599 or a range such as \"200-299\""));
    }
  }
}

bool is_header_name(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";  // RFC 9110: token
  return !name.empty() && name.size() <= 256 && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

bool is_set_by_us(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower == "connection" || lower == "content-length" || lower == "transfer-encoding" ||
         lower == "accept-encoding" || lower == "expect" || lower == "upgrade" || lower == "te";
}

void read_headers(const CheckedObject& check, CheckPlan& probe, SpecContext& context) {
  const Json* headers = check.get("headers");
  if (!headers) return;
  ProbeHeaders read;
  const std::string path = check.path_of("headers");
  for (const auto& [name, value] : headers->members) {
    const std::string field = join_path(path, name);
    if (!is_header_name(name)) {
      context.fault(field, "is not a valid header name; use letters, digits and \"-\"");
    } else if (is_set_by_us(name)) {
      context.fault(field, "is set by the check itself; leave it out");
    } else if (!value.is(Json::Kind::string)) {
      context.fault(field, "is " + std::string(kind_name(value)) + "; it must be a string");
    } else if (value.text.size() > 4096 ||
               std::any_of(value.text.begin(), value.text.end(), [](char c) {
                 return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
               })) {
      context.fault(field, "must be a string of at most 4096 bytes without control characters");
    } else {
      read.emplace_back(name, value.text);
    }
  }
  probe.target.headers = std::move(read);
}

void read_thresholds(CheckedObject& check, CheckPlan& probe) {
  const auto unhealthy = check.integer("unhealthyThreshold");
  const auto restart = check.integer("restartThreshold");
  if (unhealthy && restart && *restart < *unhealthy) {
    check.fault("restartThreshold", "is " + std::to_string(*restart) +
                                        "; it must be at least unhealthyThreshold (" +
                                        std::to_string(*unhealthy) + "); raise it or leave it out");
  }
  // A service must not be restarted while it is still in rotation. So a small restartThreshold lowers the default of
  // unhealthyThreshold, and a large unhealthyThreshold raises the default of restartThreshold.
  probe.spec.unhealthy_threshold =
      static_cast<int>(unhealthy.value_or(restart ? std::min<std::int64_t>(2, *restart) : 2));
  probe.spec.restart_threshold =
      static_cast<int>(restart.value_or(std::max(3, probe.spec.unhealthy_threshold)));
  probe.spec.healthy_threshold = check.integer_or("healthyThreshold", 2);
}

void read_timeout(const CheckedObject& service, CheckedObject& check, CheckPlan& probe) {
  const auto timeout = check.millis("timeout");
  if (timeout && *timeout > probe.spec.interval && !service.faulty("healthCheckInterval")) {
    check.fault("timeout", "is " + in_ms(*timeout) + "; it must be at most healthCheckInterval (" +
                               in_ms(probe.spec.interval) + "); lower it or raise healthCheckInterval");
  }
  if (timeout) probe.target.timeout = *timeout;
  probe.spec.start_timeout = check.millis("startTimeout").value_or(probe.spec.start_timeout);
}

void read_kind(const CheckedObject& service, CheckedObject& check, CheckPlan& probe,
               const std::optional<Url>& endpoint) {
  if (check.get("type")) {
    const CheckKind* named = find_check_kind(check.text_or("type", "http"));
    probe.target.kind = named != nullptr ? named->kind : ProbeKind::http;
    if (probe.target.kind == ProbeKind::http && endpoint && endpoint->scheme == "tcp") {
      check.fault("type",
                  "is \"http\", but the endpoint is a tcp:// URL; use \"tcp\" or give an "
                  "http:// endpoint");
    }
    if (named != nullptr && named->needs_process && !service.given("process")) {
      check.fault("type", "is \"" + std::string(named->name) +
                              "\", but there is no `process`; use \"http\" or \"tcp\"");
    }
  }
  const CheckKind& kind = check_kind(probe.target.kind);
  if (check.faulty("type") || kind.speaks_http) return;
  for (const std::string_view name : {"method", "headers", "expectedStatus", "reuseConnection"}) {
    if (check.given(name) && !check.faulty(name)) {
      check.fault(name, "is only for \"http\" checks, but this service has a \"" +
                            std::string(kind.name) + "\" check; leave it out");
    }
  }
}

void read_path(CheckedObject& service, CheckPlan& probe) {
  const Json* path = service.get("healthCheckPath");
  if (!path) return;
  if (!path->is(Json::Kind::string) || !is_path(path->text)) {
    return service.fault(
        "healthCheckPath",
        is_but_must_be(*path, find_field(Section::service, "healthCheckPath")->rule));
  }
  // The path gets exactly one leading slash.
  probe.target.path = "/" + path->text.substr(std::min(path->text.find_first_not_of('/'), path->text.size()));
}

}  // namespace

std::optional<Url> read_endpoint(CheckedObject& service) {
  const Json* value = service.get("endpoint");
  if (!value) return std::nullopt;
  const std::string_view rule = find_field(Section::service, "endpoint")->rule;
  if (!value->is(Json::Kind::string)) {
    service.fault("endpoint", is_but_must_be(*value, rule, true));
    return std::nullopt;
  }
  if (value->text.size() > kMaxUrl) {
    service.fault("endpoint", "has " + std::to_string(value->text.size()) + " characters; it must have at most " +
                                  std::to_string(kMaxUrl));
    return std::nullopt;
  }
  auto parsed = parse_endpoint(value->text);
  if (auto* wrong = std::get_if<EndpointProblem>(&parsed)) {
    // Text before an "@" may be a password.
    const bool quotable = wrong->quotable && value->text.find('@') == std::string::npos;
    service.fault("endpoint", quotable          ? "is " + shown(*value) + "; " + wrong->message
                              : wrong->quotable ? "cannot be used as it is; " + wrong->message
                                                : wrong->message);
    return std::nullopt;
  }
  return std::get<Url>(std::move(parsed));
}

CheckPlan read_check(CheckedObject& service, const std::optional<Url>& endpoint,
                     SpecContext& context) {
  CheckPlan probe;
  read_path(service, probe);
  probe.spec.interval = service.millis("healthCheckInterval").value_or(probe.spec.interval);
  probe.target.timeout = std::min(probe.target.timeout, probe.spec.interval);
  probe.spec.start_timeout = std::max(Millis{30'000}, 2 * probe.spec.interval);
  probe.spec.start_interval =
      service.millis("startInterval").value_or(std::min(Millis{1000}, probe.spec.interval));
  if (endpoint && endpoint->scheme == "tcp") probe.target.kind = ProbeKind::tcp;

  bool kind_known = !service.faulty("healthCheck");
  if (const Json* given = service.get("healthCheck")) {
    CheckedObject check(Section::health_check, *given, "healthCheck", context);
    read_kind(service, check, probe, endpoint);
    read_timeout(service, check, probe);
    read_thresholds(check, probe);
    probe.target.method = check.text_or("method", "GET");
    read_headers(check, probe, context);
    read_expected_status(check, probe, context);
    if (const Json* reuse = check.get("reuseConnection")) probe.target.reuse_connection = reuse->boolean;
    kind_known = !check.faulty("type");
  }
  if (!service.given("endpoint") && kind_known && check_kind(probe.target.kind).asks) {
    context.fault("endpoint",
                  "is missing; give " +
                      std::string(find_field(Section::service, "endpoint")->rule) +
                      (service.given("process") ? ", or set healthCheck.type to \"process\"" : ""));
  }
  if (endpoint) {
    probe.target.scheme = endpoint->scheme;
    probe.target.host = endpoint->host;
    probe.target.port = endpoint->port;
    if (!endpoint->base_path.empty()) probe.target.path = endpoint->base_path + *probe.target.path;
  }
  return probe;
}

}  // namespace azora
