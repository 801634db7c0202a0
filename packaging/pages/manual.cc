#include "packaging/pages/manual.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <sstream>

namespace headgate::pages {
namespace {

// Within a line: a hyphen that is typed, and no escapes.
std::string Escaped(const std::string& text) {
  std::string escaped;
  for (const char letter : text) {
    if (letter == '\\') {
      escaped += "\\e";
    } else if (letter == '-') {
      escaped += "\\-";
    } else {
      escaped += letter;
    }
  }
  return escaped;
}

// A line that begins with a dot or a quote would be an order to roff.
std::string Line(const std::string& text) {
  const bool is_order = text.starts_with('.') || text.starts_with('\'');
  return (is_order ? "\\&" : "") + Escaped(text) + "\n";
}

std::string Bold(const std::string& text) { return "\\fB" + Escaped(text) + "\\fR"; }

// A line that is indented stands as it is; others flow.
std::string Text(const std::string& text) {
  std::string roff;
  bool is_literal = false;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const bool is_indented = line.starts_with("  ");
    if (is_indented != is_literal) roff += is_indented ? ".nf\n" : ".fi\n";
    is_literal = is_indented;
    if (line.empty()) {
      if (!roff.empty() && !roff.ends_with(".PP\n")) roff += ".PP\n";
    } else {
      roff += Line(line);
    }
  }
  if (is_literal) roff += ".fi\n";
  while (roff.ends_with(".PP\n")) roff.resize(roff.size() - 4);
  return roff;
}

// As --help has it: its names, what they take, whether they must be there.
std::string Tag(const Option& option) {
  std::string tag;
  for (const std::string& name : option.names) tag += (tag.empty() ? "" : ", ") + Bold(name);
  if (option.is_positional) return tag + (option.is_required ? " (required)" : "");
  if (option.takes_value) tag += " " + Escaped(option.type);
  if (option.may_repeat) tag += " ...";
  if (!option.default_value.empty()) tag += " [" + Escaped(option.default_value) + "]";
  if (option.is_required) tag += " (required)";
  return tag;
}

std::string Options(const Command& command) {
  std::string roff;
  for (const bool is_positional : {true, false}) {
    for (const Option& option : command.options) {
      if (option.is_positional != is_positional) continue;
      roff += ".TP\n" + Tag(option) + "\n" + Text(option.description);
    }
  }
  return roff;
}

std::string Synopsis(const std::string& program, const Command& command) {
  std::string line = Bold(program + (command.path.empty() ? "" : " " + command.path));
  line += " [\\fIOPTIONS\\fR]";
  for (const Option& option : command.options) {
    if (!option.is_positional && option.is_required) {
      line += fmt::format(" {} \\fIVALUE\\fR", Bold(option.names.back()));
    }
  }
  for (const Option& option : command.options) {
    if (!option.is_positional) continue;
    const std::string name = "\\fI" + Escaped(option.names.front()) + "\\fR";
    line += option.is_required ? " " + name : " [" + name + "]";
  }
  return line + (command.subcommands.empty() ? "" : " [\\fISUBCOMMAND\\fR]");
}

std::string Pairs(const std::string& title,
                  const std::vector<std::pair<std::string, std::string>>& pairs) {
  if (pairs.empty()) return "";
  std::string roff = ".SH " + title + "\n";
  for (const auto& [name, what] : pairs) roff += ".TP\n" + Bold(name) + "\n" + Line(what);
  return roff;
}

std::string Upper(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char letter) { return std::toupper(letter); });
  return text;
}

}  // namespace

std::string ManualOf(const Command& program, const Page& page) {
  std::string roff = fmt::format(
      ".TH {} {} \"\" \"headgate {}\" \"Headgate\"\n.SH NAME\n{} \\- {}\n", Upper(program.name),
      page.section, page.version, Escaped(program.name), Escaped(page.summary));
  roff += ".SH SYNOPSIS\n" + Synopsis(program.name, program) + "\n";
  roff += ".SH DESCRIPTION\n" + Text(program.description);
  roff += ".SH OPTIONS\n" + Options(program);
  const std::vector<const Command*> all = All(program);
  if (all.size() > 1) roff += ".SH COMMANDS\n";
  for (const Command* command : all) {
    if (command == &program) continue;
    roff += ".SS " + Escaped(program.name + " " + command->path) + "\n";
    roff += Synopsis(program.name, *command) + "\n.PP\n" + Text(command->description);
    roff += Options(*command);
    if (!command->footer.empty()) roff += ".PP\n" + Text(command->footer);
  }
  if (!program.footer.empty()) roff += ".SH NOTES\n" + Text(program.footer);
  roff += Pairs("ENVIRONMENT", page.environment) + Pairs("FILES", page.files);
  roff += ".SH SEE ALSO\n";
  std::string also;
  for (const std::string& name : page.see_also) {
    also += (also.empty() ? "" : ", ") + Bold(name.substr(0, name.find('('))) +
            Escaped(name.substr(name.find('(')));
  }
  return roff + also + "\n";
}

}  // namespace headgate::pages
