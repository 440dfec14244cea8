#pragma once
// The head of an HTTPS answer as curl hands it out, line by line, interim answers and a trailer included. curl reads
// and frames the answer; this class counts and refuses what curl would let pass: too many lines or interim answers,
// and what two parsers could frame differently.
// Threads: the client's. Fails: take() with a static text; null: all is well.
#include <cstddef>
#include <string>
#include <string_view>

namespace azora::net {

class HttpsHead {
 public:
  // Takes one line, its end included.
  const char* take(std::string_view line);

  int answers() const { return answers_; }
  int status() const { return status_; }  // of the newest answer; 0: none
  bool is_success() const { return status_ >= 200 && status_ <= 299; }
  // It was read although it breaks a rule: other clients may see another answer.
  bool irregular() const { return irregular_; }

 private:
  const char* on_status_line(std::string_view text);
  const char* on_field(std::string_view text);

  std::size_t bytes_ = 0;
  int answers_ = 0;  // status lines seen
  int status_ = 0;
  std::string length_;  // as it was given first
  bool has_coding_ = false;
  bool last_frames_ = false;   // the last field frames the answer
  bool irregular_ = false;
  bool expect_status_ = true;  // the next line begins an answer (or a trailer)
};

}  // namespace azora::net
