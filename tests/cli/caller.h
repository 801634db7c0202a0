// Somebody who types commands at a FakeController and reads what is said. One thread each.
#pragma once

#include <sstream>
#include <string>
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

class Caller {
 public:
  explicit Caller(const std::string& address) : way_in({"--controller", address, "--plaintext"}) {}

  Said Type(std::vector<std::string> words, const std::string& input = "") {
    words.insert(words.begin(), way_in.begin(), way_in.end());
    const auto parsed = ParseArguments(words, [](const std::string&) { return std::string(); });
    if (const auto* answer = std::get_if<Answer>(&parsed)) {
      return Said{static_cast<int>(answer->code), "", answer->text};
    }
    out_.str("");
    err_.str("");
    std::istringstream in(input);
    Terminal terminal{.out = out_, .err = err_, .is_live = is_live, .has_color = false};
    Session session{
        .terminal = terminal, .interrupt = interrupt, .clock = clock_, .in = in, .is_root = false};
    const ExitCode code = Run(std::get<Command>(parsed), session);
    return Said{static_cast<int>(code), out_.str(), err_.str()};
  }

  // While the one who types waits for an answer.
  std::string err_so_far() const { return err_.str(); }

  std::vector<std::string> way_in;
  bool is_live = false;
  Interrupt interrupt;

 private:
  std::ostringstream out_;
  std::ostringstream err_;
  const SteadyClock clock_;
};

}  // namespace headgate::cli
