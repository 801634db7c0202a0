// What a load balancer asks about one request of a user's, read from the headers that it sends.
// Pure: any thread.
//
// Which headers are believed depends on the path that is asked: only those that the load balancers
// which ask there always set themselves, so that a user cannot forge them.
//   /authz         X-Forwarded-Method, -Uri, -Proto, -For   Traefik, Caddy
//   /authz/nginx   X-Original-Method, X-Original-URL, X-Forwarded-For   nginx, ingress-nginx
//   /authz/envoy   the request itself, X-Forwarded-For and -Proto   Envoy, Istio
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/core/new_cookies.h"
#include "agents/core/snippet_words.h"
#include "agents/core/user_key.h"
#include "agents/endpoint/network.h"

namespace headgate::endpoint {

// nginx says in it that it keeps answers, and, as their ETag, which it has of this user's.
inline constexpr char kKeepsHeader[] = "X-Headgate-Keeps";
inline constexpr char kKeepsWord[] = "etag=";
// And the key by which it would keep this one.
inline constexpr char kKeepsAsHeader[] = "X-Headgate-Keeps-As";

enum class Dialect { kForward, kNginx, kEnvoy };

class Headers {
 public:
  virtual ~Headers() = default;
  // Every value of that name, in their order; the name in lower case.
  virtual std::vector<std::string_view> All(std::string_view name) const = 0;
};

struct Rules {
  agent::UserKey key;
  std::vector<std::string> paths;
  std::vector<Network> networks;
  std::vector<Network> trusted_proxies;
  // To one address; 0: without a limit.
  unsigned new_cookies_per_minute = agent::kNewCookiesPerMinute;
};
// INVALID_ARGUMENT says which word is wrong.
absl::StatusOr<Rules> MakeRules(const agent::UserKey& key, const std::vector<std::string>& bypass,
                                const std::vector<std::string>& trusted_proxies);

struct Asked {
  Dialect dialect = Dialect::kForward;
  // Of the request to the endpoint; of Envoy's, behind the prefix: the user's own.
  std::string_view method;
  std::string_view target;
  // Where the load balancer tells its client's address beside the headers (gRPC).
  std::string_view peer{};
};

struct Question {
  // Empty: none.
  std::string key;
  std::optional<Address> client;
  bool is_bypassed = false;
  bool is_navigation = false;
  bool is_secure = false;
  bool wants_problem = false;
  // Whether the load balancer keeps answers for the hour without an agent, and the tag of the
  // admission that it has of this user's; empty: it has none.
  bool keeps_answers = false;
  // It is not to keep this one: there is no room for it.
  bool has_no_room = false;
  std::string kept_tag{};
  std::string kept_as{};
  std::string accept_language{};
};
Question ReadQuestion(const Rules& rules, const Asked& asked, const Headers& headers);

// The last of that name, as HAProxy takes it; empty if there is none.
std::string_view CookieOf(const Headers& headers, std::string_view name);
// The nearest address that is no trusted proxy's, from the right; unset if there is none to
// believe.
std::optional<Address> ClientOf(const Rules& rules, const Asked& asked, const Headers& headers);
// As people write it: the key of `client_address`, the same letters as HAProxy's and nginx's.
std::string ToString(const Address& address);

}  // namespace headgate::endpoint
