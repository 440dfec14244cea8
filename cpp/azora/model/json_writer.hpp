#pragma once
// Appends compact JSON to a string, without a tree in between; the writer keeps track of commas. All JSON that we
// return is made here. Threads: one at a time. Ownership: the caller's string. Fails: never; bytes that are not UTF-8
// become U+FFFD.
#include <cstdint>
#include <string>
#include <string_view>

namespace azora {

// `text` in quotes, escaped as JSON.stringify does it: control characters, '"' and '\' only.
void append_json_string(std::string& out, std::string_view text);
// Shortest text that reads back as the same double; null when it is not finite.
void append_json_number(std::string& out, double value);
void append_json_integer(std::string& out, std::int64_t value);

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }
  // `name` must need no escaping: our own keys.
  void key(std::string_view name);
  void text_key(std::string_view name);  // any key

  void string(std::string_view value);
  void integer(std::int64_t value);
  void number(double value);
  void boolean(bool value) { raw(value ? "true" : "false"); }
  void null() { raw("null"); }
  void raw(std::string_view json);      // a value that is JSON already
  void members(std::string_view json);  // "key":value,... that are JSON already, inside an object

 private:
  void separate();
  void open(char bracket);
  void close(char bracket);

  std::string& out_;
  bool comma_ = false;  // the next key or element needs one
};

}  // namespace azora
