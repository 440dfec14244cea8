#include "azora/orchestrator/log_stream.hpp"

#include <algorithm>
#include <utility>

namespace azora::orchestrator {
namespace {

// The last whole lines of a text that fit into so many bytes.
std::string_view last_lines(std::string_view text, std::size_t most_bytes) {
  if (text.size() <= most_bytes) return text;
  const std::size_t line = text.find('\n', text.size() - most_bytes - 1);
  return line == std::string_view::npos ? std::string_view() : text.substr(line + 1);
}

}  // namespace

LogStream::LogStream(World world, std::size_t lines, bool labelled) : world_(std::move(world)), labelled_(labelled) {
  const std::vector<Source> sources = world_.sources();
  // What is kept until the first next() is bounded, however many instances there are.
  const std::size_t share = keeper::LogReader::kMostBytes / std::max<std::size_t>(1, sources.size());
  for (const Source& source : sources) follow(source, lines, share);
}

void LogStream::follow(const Source& source, std::size_t lines, std::size_t most_bytes) {
  Follower& follower = followers_.emplace_back();
  follower.source = source;
  append(first_, source, std::string(last_lines(follower.log.begin(world_.folder(source.serial), lines).text, most_bytes)));
}

LogPiece LogStream::next() {
  if (!std::exchange(begun_, true)) return {std::exchange(first_, {}), false};
  const std::vector<Source> sources = world_.sources();  // asked first: what was written before its end is there by now
  const auto writes = [&sources](std::uint64_t serial) {
    return std::any_of(sources.begin(), sources.end(), [&](const Source& one) { return one.serial == serial; });
  };
  const auto followed = [this](std::uint64_t serial) {
    return std::any_of(followers_.begin(), followers_.end(), [&](const Follower& one) { return one.source.serial == serial; });
  };
  if (labelled_) {
    for (const Source& source : sources) {
      if (!followed(source.serial)) follow(source, keeper::LogReader::kMostLines, keeper::LogReader::kMostBytes);
    }
  }
  LogPiece piece{std::exchange(first_, {}), false};
  for (Follower& one : followers_) {
    if (one.over || piece.text.size() >= keeper::LogReader::kMostBytes) continue;  // the others come with the next piece
    const bool more = writes(one.source.serial);
    keeper::LogPart part = one.log.next(world_.folder(one.source.serial));
    append(piece.text, one.source, part.text);
    piece.missed |= part.missed;
    one.over = !more && one.log.ended();
  }
  over_ = std::all_of(followers_.begin(), followers_.end(), [](const Follower& one) { return one.over; });
  return piece;
}

void LogStream::append(std::string& out, const Source& source, const std::string& text) const {
  if (!labelled_) {
    out += text;
    return;
  }
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    out.append(source.id).append(" | ").append(text, at, end - at).append("\n");
    at = end + 1;
  }
}

}  // namespace azora::orchestrator
