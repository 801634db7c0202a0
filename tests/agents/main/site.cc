#include "tests/agents/main/site.h"

namespace headgate::test {

void LetEverybodyThrough(const TestHaproxy& haproxy) {
  std::string config = ReadFile(haproxy.config());
  const std::size_t at = config.find("    use_backend");
  ASSERT_NE(at, std::string::npos);
  WriteFile(haproxy.config(), config.insert(at, "    use_backend app if { path_beg / }\n"));
}

Site::Site(const Options& options)
    : SiteOfHaproxy(options.share),
      AgentSite({.valid_for = options.valid_for, .more_config = options.more_config},
                AgentYaml(haproxy.settings())) {
  if (options.start_agent) StartAgent();
}

bool Site::WaitForWidth(const char* share) const {
  return Eventually([&] { return haproxy.WidthInMemory() == Percent(share).Width(); });
}

}  // namespace headgate::test
