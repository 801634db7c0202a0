#include "cli/gate_options.h"

#include <fmt/format.h>

#include "common/base/text.h"

namespace headgate::cli {

void AddSplitOptions(CLI::App& split, std::vector<std::string>& labels) {
  split
      .add_option("--label", labels,
                  "its agents have this label; all of them, where given more than once")
      ->type_name("KEY=VALUE")
      ->required()
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

std::string ReadLabels(const std::vector<std::string>& labels, Command& command) {
  for (const std::string& label : labels) {
    const std::size_t equals = label.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == label.size()) {
      return fmt::format("--label {}: write KEY=VALUE, as in --label zone=eu-1",
                         CutUtf8(label, 80));
    }
    const auto [known, is_new] =
        command.labels.emplace(label.substr(0, equals), label.substr(equals + 1));
    if (!is_new) {
      return fmt::format("--label {}: {} is given already, as {}", CutUtf8(label, 80),
                         CutUtf8(known->first, 80), CutUtf8(known->second, 80));
    }
  }
  return "";
}

}  // namespace headgate::cli
