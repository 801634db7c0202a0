#include "agents/core/wait_lua.h"

#include <fmt/format.h>

#include "agents/core/waiting_lua.h"

namespace headgate::agent {

std::string LuaQuoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = byte >= ' ' && byte < 0x7f && c != '"' && c != '\\';
    quoted += is_plain ? std::string(1, c) : fmt::format("\\{:03}", static_cast<unsigned>(byte));
  }
  return quoted + "\"";
}

std::string WaitingLua(const WaitPages& pages, const std::string& forecast_file) {
  const WaitWords words{"{{retry_after}}", "{{share}}", "{{time}}", "{{zone}}"};
  const ProblemWords problem{"{{retry_after}}", "{{ratio}}", "{{instant}}"};
  std::string text = fmt::format("local W = {{\n  forecast = {},\n  default = {},\n  pages = {{\n",
                                 LuaQuoted(forecast_file), LuaQuoted(pages.default_language()));
  for (const auto& [language, page] : pages.templates()) {
    text += fmt::format("    [{}] = {{\n", LuaQuoted(language));
    for (const Known known : kKnown) {
      text += fmt::format("      {} = {},\n", NameOf(known), LuaQuoted(page.Text(known, words)));
    }
    text += "    },\n";
  }
  text += "  },\n  problems = {\n";
  for (const Known known : kKnown) {
    text += fmt::format("    {} = {},\n", NameOf(known), LuaQuoted(WaitProblem(known, problem)));
  }
  return text + "  },\n}\n" + kWaitingLua;
}

}  // namespace headgate::agent
