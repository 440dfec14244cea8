#pragma once
// The bytes of one frame (protocol.hpp), field by field: numbers little-endian, texts with their length and a NUL.
// Also compiled into the static program, which has no C library.
// Threads: the caller's. Ownership: none; what is read points into the frame.
// Fails: a reader shows it by ok(), and all values that it gave are then 0; a writer by a size of 0.
#include <cstddef>
#include <cstdint>

#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

// Writes one frame into memory of the caller.
class Writer {
 public:
  Writer(std::uint8_t* data, std::size_t room, FrameType type, std::uint64_t request,
         std::uint64_t epoch);
  void u8(std::uint8_t value) { number(value, 1); }
  void u16(std::uint16_t value) { number(value, 2); }
  void u32(std::uint32_t value) { number(value, 4); }
  void u64(std::uint64_t value) { number(value, 8); }
  void i32(std::int32_t value) { number(static_cast<std::uint32_t>(value), 4); }
  void i64(std::int64_t value) { number(static_cast<std::uint64_t>(value), 8); }
  void text(const char* data, std::size_t size);
  void stop_order(const StopOrder& order);
  // Size of the finished frame; 0 when it did not fit.
  std::size_t finish();

 private:
  void number(std::uint64_t value, int bytes);
  std::uint8_t* data_;
  std::size_t room_;
  std::size_t size_ = 0;
  bool ok_ = true;
};

// Reads the fields of one frame. Whatever the bytes are, it stays inside them.
class Reader {
 public:
  Reader(const std::uint8_t* data, std::size_t size) : at_(data), left_(size) {}
  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }
  std::int32_t i32() { return static_cast<std::int32_t>(u32()); }
  std::int64_t i64() { return static_cast<std::int64_t>(u64()); }
  Text text();
  TextList text_list();
  const std::uint8_t* bytes(std::size_t size);
  bool ok() const { return ok_; }
  void fail() { ok_ = false; }
  // Everything was understood and nothing is left over.
  bool done() const { return ok_ && left_ == 0; }

 private:
  std::uint64_t number(int bytes);
  const std::uint8_t* at_;
  std::size_t left_;
  bool ok_ = true;
};

// Walks a TextList that a Reader has checked.
class TextWalk {
 public:
  explicit TextWalk(TextList list) : at_(list.bytes), left_(list.count) {}
  bool next(Text* text);

 private:
  const std::uint8_t* at_;
  std::uint32_t left_;
};

}  // namespace azora::keeper
