#include "azora/keeper/env_expand.hpp"

#include <cstring>

namespace azora::keeper {
namespace {

struct Name {
  const char* begin;
  std::size_t size;        // 0: none
  const char* behind;      // the first character that is not of the reference
};

// The reference behind a '$' at `at`.
Name name_at(const char* at, const char* end) {
  const bool braced = at < end && *at == '{';
  const char* begin = braced ? at + 1 : at;
  const char* last = begin;
  while (last < end && is_env_name_char(*last, last == begin)) ++last;
  const auto size = static_cast<std::size_t>(last - begin);
  if (!braced) return {begin, size, last};
  if (size == 0 || last == end || *last != '}') return {begin, 0, at};
  return {begin, size, last + 1};
}

class Output {
 public:
  Output(char* data, std::size_t room) : data_(data), room_(room) {}
  void put(const char* text, std::size_t size) {
    if (size_ == kNoRoom || size >= room_ - size_) {  // one byte is kept for the NUL
      size_ = kNoRoom;
      return;
    }
    std::memcpy(data_ + size_, text, size);
    size_ += size;
  }
  std::size_t finish() {
    if (size_ != kNoRoom) data_[size_] = '\0';
    return size_;
  }

 private:
  char* data_;
  std::size_t room_;
  std::size_t size_ = 0;
};

}  // namespace

std::size_t expand_env(const EnvLine& line, EnvLookup lookup, char* out, std::size_t room) {
  if (room == 0) return kNoRoom;
  Output output(out, room);
  const char* end = line.text + line.size;
  for (const char* at = line.text; at < end;) {
    const auto left = static_cast<std::size_t>(end - at);
    const auto* mark = static_cast<const char*>(std::memchr(at, kEnvMark, left));
    if (mark == nullptr) mark = end;
    output.put(at, static_cast<std::size_t>(mark - at));
    if (mark == end) break;
    const Name name = name_at(mark + 1, end);
    at = name.size == 0 ? mark + 1 : name.behind;
    const char* value = name.size == 0 ? "$" : lookup.find(lookup.context, name.begin, name.size);
    if (value != nullptr) output.put(value, std::strlen(value));
  }
  return output.finish();
}

}  // namespace azora::keeper
