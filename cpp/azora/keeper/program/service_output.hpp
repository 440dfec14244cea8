#pragma once
// What a service writes: the pipe of one incarnation, and the log files of all. A service never waits for a slow disk:
// what the disk cannot take is dropped and counted instead.
// Threads: the program has one; no call waits, except for the disk that the log files are on. Ownership: the read end
// of the pipe, and the log files. Fails: never; what is lost is in loss().
#include <cstdint>

#include "azora/keeper/program/log_writer.hpp"
#include "azora/keeper/program/loss_report.hpp"
#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

class ServiceOutput {
 public:
  // Limits of what is written from now on.
  void configure(std::uint64_t max_bytes, std::uint32_t files) { log_.configure(max_bytes, files); }
  // An incarnation writes to the other end of `pipe`.
  void open(int pipe) { pipe_ = pipe; }
  // For poll; -1: there is none.
  int pipe() const { return pipe_; }
  void read();
  // No process of the incarnation is left: takes what it wrote last.
  void end();

  // When an unfinished line is to be shown (steady); 0: there is none.
  std::int64_t show_at_ns() const { return log_.show_at_ns(); }
  void show_if_due();

  std::uint64_t dropped() const { return log_.dropped(); }
  const LogLoss& loss() const { return log_.loss(); }
  // When a new loss is to be reported (steady); 0: there is none.
  std::int64_t report_at_ns() const { return report_.is_new(loss()) ? report_.next_at_ns() : 0; }
  // True: there is one, and it is to be reported now.
  bool take_report();

  // The current folder is another one.
  void move() { log_.move(); }
  void close_log() { log_.close(); }

 private:
  void close_pipe();

  int pipe_ = -1;
  LossReport report_;
  LogWriter log_;
};

}  // namespace azora::keeper
