#include "azora/orchestrator/log_stream.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "azora/orchestrator/log_note.hpp"

namespace azora::orchestrator {

LogStream::LogStream(World world, LogOptions options, bool labelled)
    : world_(std::move(world)), options_(options), labelled_(labelled) {
  const std::vector<Source> sources = world_.sources();
  // Bounds the text that is kept until the first next(), however many instances there are.
  const std::size_t share = keeper::LogReader::kMostBytes / std::max<std::size_t>(1, sources.size());
  for (const Source& source : sources) follow(source, options_.lines, share);
}

void LogStream::follow(const Source& source, std::size_t lines, std::size_t most_bytes) {
  Follower& follower = followers_.emplace_back();
  follower.source = source;
  follower.log = keeper::LogFollower(options_.timestamps);
  append(first_, follower, follower.log.begin(world_.folder(source.serial), lines, most_bytes));
}

std::string LogStream::next() {
  std::string piece = std::exchange(first_, {});
  if (std::exchange(begun_, true)) read_on(piece);
  if (!piece.empty()) in_line_ = piece.back() != '\n';
  return piece;
}

void LogStream::read_on(std::string& piece) {
  const std::vector<Source> sources = world_.sources();  // read first: output from before its end is complete by now
  const auto source_of = [&sources](std::uint64_t serial) {
    return std::find_if(sources.begin(), sources.end(), [&](const Source& one) { return one.serial == serial; });
  };
  const auto followed = [this](std::uint64_t serial) {
    return std::any_of(followers_.begin(), followers_.end(), [&](const Follower& one) { return one.source.serial == serial; });
  };
  if (labelled_) {
    for (const Source& source : sources) {
      if (!followed(source.serial)) follow(source, keeper::LogReader::kMostLines, keeper::LogReader::kMostBytes);
    }
  }
  piece += std::exchange(first_, {});
  for (Follower& one : followers_) {
    if (one.over || piece.size() >= keeper::LogReader::kMostBytes) continue;  // the next piece has the rest
    const auto source = source_of(one.source.serial);
    if (source != sources.end()) one.source.loss = source->loss;
    const keeper::LogPart part = one.log.next(world_.folder(one.source.serial));
    if (part.missed) append_note(piece, missed_note(note_start_of(one)));
    append(piece, one, part);
    if (part.missed_after) append_note(piece, missed_note(note_start_of(one)));
    one.over = source == sources.end() && one.log.ended();
  }
  over_ = std::all_of(followers_.begin(), followers_.end(), [](const Follower& one) { return one.over; });
}

void LogStream::hold_new() {
  for (Follower& one : followers_) {
    if (!one.over) one.log.hold_new(world_.folder(one.source.serial));
  }
}

std::vector<std::string> LogStream::folders() const {
  std::vector<std::string> all;
  for (const Follower& one : followers_) {
    std::string folder = one.over ? std::string() : world_.folder(one.source.serial);
    if (!folder.empty()) all.push_back(std::move(folder));
  }
  return all;
}

bool LogStream::changed() const {
  const std::vector<Source> sources = world_.sources();
  const auto is_new = [this](const Source& source) {
    const auto one = std::find_if(followers_.begin(), followers_.end(),
                                  [&](const Follower& follower) { return follower.source.serial == source.serial; });
    return one == followers_.end() ? labelled_ : one->source.loss != source.loss;
  };
  const auto is_going = [&sources](const Follower& one) {
    return !one.over && std::none_of(sources.begin(), sources.end(),
                                     [&](const Source& source) { return source.serial == one.source.serial; });
  };
  return std::any_of(sources.begin(), sources.end(), is_new) || std::any_of(followers_.begin(), followers_.end(), is_going);
}

void LogStream::append(std::string& out, Follower& one, const keeper::LogPart& part) const {
  append_text(out, one, part.text, part.gaps);
  if (!part.unfinished.empty()) {
    append_text(out, one, part.unfinished + (options_.follow ? "…\n" : ""), part.unfinished_gaps);
  }
  note_loss(out, one);
}

void LogStream::append_text(std::string& out, Follower& one, std::string_view text,
                            const std::vector<keeper::LogGap>& gaps) const {
  std::size_t at = 0;
  for (const keeper::LogGap& gap : gaps) {
    append_lines(out, one, text.substr(at, gap.at - at));
    at = gap.at;
    if (one.gap == gap.loss) continue;
    append_note(out, gap_note(note_start_of(one), gap));
    one.gap = gap.loss;
    one.loss_since_ms = gap.loss.since_wall_ms;
    one.loss_lines = kWhole;
  }
  append_lines(out, one, text.substr(at));
}

void LogStream::append_lines(std::string& out, const Follower& one, std::string_view text) const {
  if (!labelled_) {
    out += text;
    return;
  }
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    out.append(one.source.id).append(" | ").append(text, at, end - at).append("\n");
    at = end + 1;
  }
}

// Notes a loss that still goes on: at once, and again whenever the number of lost lines has doubled.
void LogStream::note_loss(std::string& out, Follower& one) const {
  const LogLossView* loss = one.source.loss.get();
  if (loss == nullptr || !loss->goes_on) return;
  const bool known = loss->since.ms == one.loss_since_ms;
  if (known && (one.loss_lines == kWhole || loss->lines < 2 * one.loss_lines)) return;
  one.loss_since_ms = loss->since.ms;
  one.loss_lines = loss->lines;
  append_note(out, loss_note(note_start_of(one), *loss));
}

void LogStream::append_note(std::string& out, std::string_view note) const {
  if (out.empty() ? in_line_ : out.back() != '\n') out += '\n';
  out += note;
}

std::string LogStream::note_start_of(const Follower& one) const {
  std::string start = note_start(options_.notes);
  if (labelled_) start.append(one.source.id).append(": ");
  return start;
}

}  // namespace azora::orchestrator
