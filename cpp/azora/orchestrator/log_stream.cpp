#include "azora/orchestrator/log_stream.hpp"

#include <utility>

namespace azora::orchestrator {

LogPiece LogStream::next() {
  if (!std::exchange(begun_, true)) return {std::move(first_), false};
  const bool known = known_();  // asked first: what was written before its end is there by now
  keeper::LogPart part = follower_.next(folder_());
  over_ = !known && follower_.ended();
  return {std::move(part.text), part.missed};
}

}  // namespace azora::orchestrator
