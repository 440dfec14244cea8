// Where the kernel enters the program, and the few C functions the compiler takes for granted.
#include <cstddef>
#include <cstdint>

#include "azora/keeper/program/main.hpp"
#include "azora/keeper/program/sys.hpp"

// argc, argv and the environment lie on the stack as the kernel left them; it is 16-byte aligned there.
#if defined(__x86_64__)
asm(".globl _start\n"
    "_start:\n"
    "  xor %ebp, %ebp\n"
    "  mov %rsp, %rdi\n"
    "  and $-16, %rsp\n"
    "  call azora_keeper_start\n");
#else
asm(".globl _start\n"
    "_start:\n"
    "  mov x29, #0\n"
    "  mov x30, #0\n"
    "  mov x0, sp\n"
    "  bl azora_keeper_start\n");
#endif

extern "C" {

[[noreturn, gnu::used]] void azora_keeper_start(long* stack) {
  const auto argc = static_cast<int>(*stack);
  auto** argv = reinterpret_cast<char**>(stack + 1);
  azora::keeper::sys::exit(azora::keeper::run(argc, argv, argv + argc + 1));
}

// This file is built with -fno-builtin and without loop idioms, or these would call themselves.
void* memcpy(void* to, const void* from, std::size_t size) {
  using Word [[gnu::may_alias, gnu::aligned(1)]] = std::uint64_t;
  auto* out = static_cast<std::uint8_t*>(to);
  const auto* in = static_cast<const std::uint8_t*>(from);
  for (; size >= sizeof(Word); size -= sizeof(Word), out += sizeof(Word), in += sizeof(Word)) {
    *reinterpret_cast<Word*>(out) = *reinterpret_cast<const Word*>(in);
  }
  while (size-- > 0) *out++ = *in++;
  return to;
}

void* memmove(void* to, const void* from, std::size_t size) {
  auto* out = static_cast<std::uint8_t*>(to);
  const auto* in = static_cast<const std::uint8_t*>(from);
  if (out <= in || out >= in + size) return memcpy(to, from, size);
  while (size-- > 0) out[size] = in[size];
  return to;
}

void* memset(void* to, int value, std::size_t size) {
  auto* out = static_cast<std::uint8_t*>(to);
  while (size-- > 0) *out++ = static_cast<std::uint8_t>(value);
  return to;
}

int memcmp(const void* left, const void* right, std::size_t size) {
  const auto* a = static_cast<const std::uint8_t*>(left);
  const auto* b = static_cast<const std::uint8_t*>(right);
  for (; size > 0; --size, ++a, ++b) {
    if (*a != *b) return *a - *b;
  }
  return 0;
}

// Under a name of its own: the headers declare two overloads, the object files want one symbol.
void* find_byte(const void* text, int value, std::size_t size) asm("memchr");
void* find_byte(const void* text, int value, std::size_t size) {
  const auto* at = static_cast<const std::uint8_t*>(text);
  for (; size > 0; --size, ++at) {
    if (*at == static_cast<std::uint8_t>(value)) return const_cast<std::uint8_t*>(at);
  }
  return nullptr;
}

std::size_t strlen(const char* text) {
  std::size_t size = 0;
  while (text[size] != 0) ++size;
  return size;
}

}  // extern "C"
