#include "cli/on_the_box.h"

#include <fmt/format.h>

#include "common/base/gate_name.h"

namespace headgate::cli {

std::string AsArgument(Share share) {
  std::string text = share.ToString();
  std::erase(text, ' ');
  return text;
}

Lines OnTheBox(const Command& command) {
  if (!IsLowering(command.verb)) return {};
  const std::string lower = "  headgate-agent lower ";
  const std::string gate = " --gate " + Clean(WholeOf(command.gate));
  Lines lines;
  if (command.verb == Verb::kHold) {
    lines.push_back(
        "Nothing rises while no controller lives: each load balancer keeps its share. A controller "
        "that");
    lines.push_back(
        "cannot be reached from here may still raise it. To be sure, on each load balancer, as "
        "root:");
    lines.push_back("  headgate-agent status             # says the share that it enforces");
    lines.push_back(lower + "SHARE" + gate + "    # that share, as a ceiling");
  } else if (command.verb == Verb::kClose) {
    lines.push_back("To refuse everybody without a controller, on each load balancer, as root:");
    lines.push_back(lower + "0%" + gate);
  } else if (command.verb == Verb::kAbort && !command.share) {
    lines.push_back(
        "Nothing rises while no controller lives. To lower by hand, on each load balancer, as "
        "root:");
    lines.push_back(lower + "SHARE" + gate + "    # 0% refuses everybody");
  } else {
    lines.push_back("To lower without a controller, on each load balancer, as root:");
    lines.push_back(lower + (command.share ? AsArgument(*command.share) : "SHARE") + gate +
                    (command.share ? ""
                                   : "    # e.g. the share before the last step; 0% refuses "
                                     "everybody"));
  }
  lines.push_back("It works with everything else dead, and lasts until, there:");
  lines.push_back("  headgate-agent release" + gate);
  lines.push_back(fmt::format(
      "If only certificates are dead: on the controller's host, as root, add --socket {}",
      kDefaultSocket));
  return lines;
}

}  // namespace headgate::cli
