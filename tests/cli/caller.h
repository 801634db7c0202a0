// Somebody who types commands at a FakeController and reads what is said. One thread each.
#pragma once

#include <chrono>
#include <mutex>
#include <ostream>
#include <sstream>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "cli/arguments.h"
#include "cli/run.h"

namespace headgate::cli {

struct Said {
  int code = -1;
  std::string out;
  std::string err;
};

// What one thread writes and another may read meanwhile.
class SharedText : public std::stringbuf {
 public:
  std::string Read() const {
    const std::lock_guard lock(mutex_);
    return str();
  }

 protected:
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    const std::lock_guard lock(mutex_);
    return std::stringbuf::xsputn(text, size);
  }
  int_type overflow(int_type c) override {
    const std::lock_guard lock(mutex_);
    return std::stringbuf::overflow(c);
  }

 private:
  mutable std::recursive_mutex mutex_;  // One of the two may call the other.
};

class Caller {
 public:
  explicit Caller(const std::string& address) : way_in({"--controller", address, "--plaintext"}) {}

  Said Type(std::vector<std::string> words, const std::string& input = "") {
    words.insert(words.begin(), way_in.begin(), way_in.end());
    const auto parsed = ParseArguments(words, [](const std::string&) { return std::string(); });
    if (const auto* answer = std::get_if<Answer>(&parsed)) {
      return Said{static_cast<int>(answer->code), "", answer->text};
    }
    out_text_.str("");
    err_text_.str("");
    std::istringstream in(input);
    Terminal terminal{.out = out_, .err = err_, .is_live = is_live, .has_color = false};
    Session session{
        .terminal = terminal, .interrupt = interrupt, .clock = clock_, .in = in, .is_root = false};
    const ExitCode code = Run(std::get<Command>(parsed), session);
    return Said{static_cast<int>(code), out_text_.Read(), err_text_.Read()};
  }

  // While the one who types waits for an answer.
  std::string err_so_far() const { return err_text_.Read(); }
  // Until it has been said, for twenty seconds at most.
  void WaitForOut(const std::string& text) const { WaitFor(out_text_, text); }
  void WaitForErr(const std::string& text) const { WaitFor(err_text_, text); }

  std::vector<std::string> way_in;
  bool is_live = false;
  Interrupt interrupt;

 private:
  static void WaitFor(const SharedText& said, const std::string& text) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (said.Read().find(text) == std::string::npos && std::chrono::steady_clock::now() < end) {
      std::this_thread::yield();
    }
  }

  SharedText out_text_;
  std::ostream out_{&out_text_};
  SharedText err_text_;
  std::ostream err_{&err_text_};
  const SteadyClock clock_;
};

}  // namespace headgate::cli
