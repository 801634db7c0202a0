#include <fmt/format.h>

#include "agents/endpoint/desk.h"
#include "agents/endpoint/snippet.h"

namespace headgate::endpoint {

absl::StatusOr<std::string> CaddySnippet(const SnippetOptions& options) {
  SnippetOptions closed = options;
  closed.on_agent_failure = OnAgentFailure::kClosed;
  if (absl::Status status = CheckSnippet(closed); !status.ok()) return status;
  const std::string to =
      options.listen.is_unix() ? "unix/" + options.listen.path : options.listen.ToString();
  return fmt::format(
      "# Gate '{gate}', made by headgate-agent {version}, for Caddy 2.6 and newer. In the site's "
      "block,\n"
      "# above what serves it. A refusal passes through as the agent writes it: 503, Retry-After "
      "and\n"
      "# the page. Without an agent nobody is let through (502).\n"
      "route {{\n"
      "    reverse_proxy {to} {{\n"
      "        method GET\n"
      "        rewrite {path}\n"
      "        # Set here, so that what a user sends under these names is not believed.\n"
      "        header_up X-Forwarded-Method {{method}}\n"
      "        header_up X-Forwarded-Uri {{uri}}\n"
      "        transport http {{\n"
      "            dial_timeout 200ms\n"
      "            response_header_timeout 1s\n"
      "        }}\n"
      "        @gives {{\n            status 2xx\n            header Set-Cookie *\n        }}\n"
      "        handle_response @gives {{\n"
      "            header +Set-Cookie {{http.reverse_proxy.header.Set-Cookie}}\n"
      "        }}\n"
      "        @admitted status 2xx\n"
      "        # With nothing in it Caddy would answer with the agent's answer.\n"
      "        handle_response @admitted {{\n"
      "            request_header -X-Headgate-Verdict\n"
      "        }}\n"
      "    }}\n"
      "    # Here: what was there before, as in `reverse_proxy 127.0.0.1:8080`.\n"
      "}}\n",
      fmt::arg("gate", options.gate), fmt::arg("version", HEADGATE_VERSION), fmt::arg("to", to),
      fmt::arg("path", kForwardPath));
}

}  // namespace headgate::endpoint
