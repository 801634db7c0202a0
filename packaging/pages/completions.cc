#include "packaging/pages/completions.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace headgate::pages {
namespace {

// "headgate-agent" as the name of a shell's function.
std::string FunctionOf(const Command& program) {
  std::string name = "_" + program.name;
  std::ranges::replace(name, '-', '_');
  return name;
}

// In single quotes of bash and zsh.
std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char letter : text) quoted += letter == '\'' ? "'\\''" : std::string(1, letter);
  return quoted + "'";
}

// In single quotes of fish.
std::string FishQuoted(const std::string& text) {
  std::string quoted = "'";
  for (const char letter : text) {
    if (letter == '\'' || letter == '\\') quoted += '\\';
    quoted += letter;
  }
  return quoted + "'";
}

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

// Every option that may stand behind a command, its own first.
std::vector<const Option*> Offered(const Command& program, const Command& command) {
  std::vector<const Option*> offered;
  for (const Option& option : command.options) {
    if (!option.is_positional) offered.push_back(&option);
  }
  if (&command == &program || !command.takes_options_above) return offered;
  for (const Option& option : program.options) {
    const bool is_known = std::ranges::any_of(
        offered, [&](const Option* own) { return own->names.back() == option.names.back(); });
    if (!option.is_positional && !is_known) offered.push_back(&option);
  }
  return offered;
}

std::string Joined(const std::set<std::string>& words, const std::string& between) {
  return fmt::format("{}", fmt::join(words, between));
}

std::set<std::string> NamesWithValue(const Command& program) {
  std::set<std::string> names;
  for (const Command* command : All(program)) {
    for (const Option& option : command->options) {
      if (option.is_positional || !option.takes_value) continue;
      names.insert(option.names.begin(), option.names.end());
    }
  }
  return names;
}

// The lines of a `case` that go from a command and a word to the command below.
std::string WaysDown(const Command& program) {
  std::string ways;
  for (const Command* command : All(program)) {
    for (const Command& below : command->subcommands) {
      ways += fmt::format("      {}) at={} ;;\n", Quoted(command->path + "/" + below.name),
                          Quoted(below.path));
    }
  }
  return ways;
}

// The same for the words that one option may take.
std::string Choices(const Command& program, const std::string& line) {
  std::string choices;
  for (const Command* command : All(program)) {
    for (const Option* option : Offered(program, *command)) {
      if (option->choices.empty()) continue;
      for (const std::string& name : option->names) {
        choices += fmt::format("    {}) {} ;;\n", Quoted(command->path + "/" + name),
                               fmt::format(fmt::runtime(line), fmt::join(option->choices, " ")));
      }
    }
  }
  return choices;
}

// "name:what it is", as _describe of zsh has it.
std::string Described(const std::string& name, const std::string& what) {
  std::string text = name + ":";
  for (const char letter : FirstLine(what)) text += letter == ':' ? "\\:" : std::string(1, letter);
  return Quoted(text);
}

}  // namespace

std::string BashCompletionOf(const Command& program) {
  const std::string function = FunctionOf(program);
  std::string script = fmt::format("# bash completion for {}\n{}() {{\n", program.name, function);
  script +=
      "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} at= i\n"
      "  COMPREPLY=()\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case ${COMP_WORDS[i]} in\n";
  const std::string with_value = Joined(NamesWithValue(program), " | ");
  script += fmt::format("      {}) ((i++)); continue ;;\n    esac\n", with_value);
  script += "    case $at/${COMP_WORDS[i]} in\n" + WaysDown(program) + "    esac\n  done\n";
  script += "  case $at/$previous in\n" +
            Choices(program, "COMPREPLY=($(compgen -W '{}' -- \"$current\")); return") + "  esac\n";
  // What it does not say is completed as names of files.
  script += fmt::format("  case $previous in\n    {}) return ;;\n  esac\n", with_value);
  script += "  local words=\n  case $at in\n";
  for (const Command* command : All(program)) {
    std::set<std::string> subcommands;
    std::set<std::string> options;
    for (const Command& below : command->subcommands) subcommands.insert(below.name);
    for (const Option* option : Offered(program, *command)) {
      options.insert(option->names.begin(), option->names.end());
    }
    script += fmt::format(
        "    {})\n      if [[ $current == -* ]]; then words='{}'; else words='{}'; fi ;;\n",
        Quoted(command->path), Joined(options, " "), Joined(subcommands, " "));
  }
  script += "  esac\n  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n}\n";
  return script + fmt::format("complete -o default -F {} {}\n", function, program.name);
}

std::string ZshCompletionOf(const Command& program) {
  const std::string function = FunctionOf(program);
  std::string script = fmt::format("#compdef {}\n{}() {{\n", program.name, function);
  script +=
      "  local at=\n  local -a found\n  integer i\n"
      "  for ((i = 2; i < CURRENT; i++)); do\n"
      "    case ${words[i]} in\n";
  const std::string with_value = Joined(NamesWithValue(program), " | ");
  script += fmt::format("      ({}) ((i++)); continue ;;\n    esac\n", with_value);
  script += "    case $at/${words[i]} in\n" + WaysDown(program) + "    esac\n  done\n";
  script += "  case $at/${words[CURRENT-1]} in\n" +
            Choices(program, "found=({}); _describe value found; return") + "  esac\n";
  script += fmt::format("  case ${{words[CURRENT-1]}} in\n    ({}) _files; return ;;\n  esac\n",
                        with_value);
  script += "  if [[ $PREFIX == -* ]]; then\n    case $at in\n";
  for (const Command* command : All(program)) {
    script += fmt::format("      ({}) found=(\n", Quoted(command->path));
    for (const Option* option : Offered(program, *command)) {
      for (const std::string& name : option->names) {
        script += "        " + Described(name, option->description) + "\n";
      }
    }
    script += "      ) ;;\n";
  }
  script += "    esac\n    _describe -o option found\n    return\n  fi\n  case $at in\n";
  for (const Command* command : All(program)) {
    if (command->subcommands.empty()) continue;
    script += fmt::format("    ({}) found=(\n", Quoted(command->path));
    for (const Command& below : command->subcommands) {
      script += "      " + Described(below.name, below.description) + "\n";
    }
    script += "    ) ;;\n";
  }
  script += "  esac\n  if ((${#found})); then _describe command found; else _files; fi\n}\n";
  return script + fmt::format("{} \"$@\"\n", function);
}

std::string FishCompletionOf(const Command& program) {
  const std::string at = "_" + FunctionOf(program) + "_at";
  std::string script = fmt::format("# fish completion for {}\nfunction {}\n", program.name, at);
  script +=
      "  set -l at ''\n  set -l is_value 0\n"
      "  for word in (commandline -opc)[2..-1]\n"
      "    if test $is_value = 1\n      set is_value 0\n      continue\n    end\n"
      "    switch $word\n";
  script += fmt::format("      case {}\n        set is_value 1\n        continue\n    end\n",
                        Joined(NamesWithValue(program), " "));
  script += "    switch $at/$word\n";
  for (const Command* command : All(program)) {
    for (const Command& below : command->subcommands) {
      script += fmt::format("      case {}\n        set at {}\n",
                            FishQuoted(command->path + "/" + below.name), FishQuoted(below.path));
    }
  }
  script += "    end\n  end\n  test \"$at\" = \"$argv[1]\"\nend\n";
  for (const Command* command : All(program)) {
    const std::string here = FishQuoted(fmt::format("{} \"{}\"", at, command->path));
    for (const Command& below : command->subcommands) {
      script += fmt::format("complete -c {} -n {} -f -a {} -d {}\n", program.name, here, below.name,
                            FishQuoted(FirstLine(below.description)));
    }
    for (const Option* option : Offered(program, *command)) {
      script += fmt::format("complete -c {} -n {}", program.name, here);
      for (const std::string& name : option->names) {
        script += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      if (option->takes_value) script += " -r";
      if (!option->choices.empty()) {
        script += fmt::format(" -f -a '{}'", fmt::join(option->choices, " "));
      }
      script += fmt::format(" -d {}\n", FishQuoted(FirstLine(option->description)));
    }
  }
  return script;
}

}  // namespace headgate::pages
