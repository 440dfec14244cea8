#include "azora/keeper/frame_fields.hpp"

#include <cstring>

namespace azora::keeper {
namespace {

std::uint64_t little_endian(const std::uint8_t* at, int bytes) {
  std::uint64_t value = 0;
  for (int i = bytes - 1; i >= 0; --i) value = value << 8 | at[i];
  return value;
}

}  // namespace

Writer::Writer(std::uint8_t* data, std::size_t room, FrameType type, std::uint64_t request,
               std::uint64_t epoch)
    : data_(data), room_(room) {
  u32(0);  // the length, known at finish()
  u16(static_cast<std::uint16_t>(type));
  u16(0);
  u64(request);
  u64(epoch);
}

void Writer::number(std::uint64_t value, int bytes) {
  if (!ok_ || room_ - size_ < static_cast<std::size_t>(bytes)) {
    ok_ = false;
    return;
  }
  for (int i = 0; i < bytes; ++i) {
    data_[size_++] = static_cast<std::uint8_t>(value);
    value >>= 8;
  }
}

void Writer::text(const char* data, std::size_t size) {
  if (!ok_ || size > kMaxFrame || room_ - size_ < size + 5) {
    ok_ = false;
    return;
  }
  u32(static_cast<std::uint32_t>(size));
  if (size > 0) std::memcpy(data_ + size_, data, size);
  size_ += size;
  data_[size_++] = 0;
}

void Writer::stop_order(const StopOrder& order) {
  i32(order.signal);
  u32(order.timeout_ms);
  u8(order.tree ? 1 : 0);
}

std::size_t Writer::finish() {
  if (!ok_) return 0;
  for (int i = 0; i < 4; ++i) data_[i] = static_cast<std::uint8_t>(size_ >> (8 * i));
  return size_;
}

std::uint64_t Reader::number(int bytes) {
  const std::uint8_t* at = this->bytes(static_cast<std::size_t>(bytes));
  return at == nullptr ? 0 : little_endian(at, bytes);
}

const std::uint8_t* Reader::bytes(std::size_t size) {
  if (!ok_ || left_ < size) {
    ok_ = false;
    return nullptr;
  }
  const std::uint8_t* at = at_;
  at_ += size;
  left_ -= size;
  return at;
}

Text Reader::text() {
  const std::uint32_t size = u32();
  // One more for the NUL; left_ bounds it, so the sum cannot wrap.
  if (!ok_ || size >= left_) {
    ok_ = false;
    return {};
  }
  const std::uint8_t* at = bytes(std::size_t{size} + 1);
  if (std::memchr(at, 0, std::size_t{size} + 1) != at + size) {
    ok_ = false;
    return {};
  }
  return {reinterpret_cast<const char*>(at), size};
}

TextList Reader::text_list() {
  TextList list;
  const std::uint32_t count = u32();
  list.bytes = at_;
  for (std::uint32_t i = 0; i < count && ok_; ++i) text();
  if (!ok_) return {};
  list.count = count;
  return list;
}

bool TextWalk::next(Text* text) {
  if (left_ == 0) return false;
  --left_;
  text->size = static_cast<std::uint32_t>(little_endian(at_, 4));
  text->data = reinterpret_cast<const char*>(at_ + 4);
  at_ += std::size_t{text->size} + 5;
  return true;
}

}  // namespace azora::keeper
