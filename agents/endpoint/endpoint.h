// The decision endpoint as an Enforcer: the load balancer asks the agent about each request, so
// what admits is the agent itself. The share lives in memory, which the request path reads, and the
// share file is its memory across restarts. One keeper's thread. docs/agents/endpoint.md tells the
// rest.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agents/core/enforcer.h"
#include "agents/core/errands.h"
#include "agents/core/prober.h"
#include "agents/core/share_store.h"
#include "agents/core/user_key.h"
#include "agents/endpoint/access_log.h"
#include "agents/endpoint/admission.h"
#include "agents/endpoint/desk.h"
#include "agents/endpoint/follower.h"
#include "agents/endpoint/listening.h"
#include "agents/endpoint/server.h"

namespace headgate::endpoint {

struct Settings {
  std::string gate;
  Listen listen;
  // Of Unix sockets.
  unsigned mode = 0660;
  std::string group;
  // gRPC envoy.service.auth.v3.Authorization.
  std::optional<Listen> ext_authz;
  std::string share;
  // What is admitted at a start without the share file, until a directive comes.
  Share bootstrap_share;
  agent::UserKey key;
  std::vector<std::string> bypass;
  std::vector<std::string> trusted_proxies;
  // To one address; 0: without a limit.
  unsigned new_cookies_per_minute = agent::kNewCookiesPerMinute;
  // Needs access_log.
  std::vector<std::uint32_t> slow_ms;
  std::optional<Listen> access_log;
  // The folder in which nginx keeps answers; empty: it keeps none.
  std::string remembered;
  agent::WaitPages pages;
  Limits limits;
};

// What the share file says at a start, or why not.
struct FirstShare {
  agent::ShareFile share;
  // In words for people; empty if all is well.
  std::string trouble;
};
// `granted`: what a former run of the agent was allowed at most, as its state has it. Without a
// file the bootstrap share, and no more than `granted`; a file that cannot be read admits nobody.
FirstShare FirstShareOf(const Settings& settings, const std::optional<Share>& granted);

// Opens a further listener for the same desk (gRPC); an error says why it cannot be.
class Door {
 public:
  virtual ~Door() = default;
};
using OpenDoor = std::function<absl::StatusOr<std::unique_ptr<Door>>(const Settings&, Desk&)>;

class Endpoint : public agent::Enforcer {
 public:
  // Bypass and trusted_proxies must be good (MakeRules): the configuration has seen to it.
  // `open_door` may be null: then nobody listens on ext_authz.
  Endpoint(Settings settings, const std::optional<Share>& granted, OpenDoor open_door);
  ~Endpoint() override;

  agent::Reading Read() override;
  absl::Status Write(const agent::Apply& apply) override { return file_.Write(apply); }
  absl::Status Sync() override { return file_.Sync(); }
  agent::ApplyOutcome Put(const agent::Apply& apply) override;
  absl::Status PutCookieKeys(const CookieKeys& keys) override;
  absl::Status Foretell(const agent::Forecast& forecast) override;
  absl::Status Try(Share share) override;
  absl::StatusOr<agent::RawCounters> ReadCounters() override;
  agent::Description Describe() const override;

  // Thread-safe, for metrics.
  const ServerCounts& counts() const { return counts_; }
  std::uint64_t garbled() const { return answers_.values().garbled; }

 private:
  // Unless it is open. Another may listen there, or a folder be missing: it is tried anew at each
  // look.
  absl::Status Open();
  std::string KeysFile() const;
  void TakeCookieKeys(const CookieKeys& keys);
  void Forget();
  // Asks whether there is room for what nginx keeps; what was found before is said.
  void LookForRoom(agent::Reading& reading);

  const Settings settings_;
  const agent::ShareStore file_;
  const std::string instance_;
  const FirstShare first_;
  const OpenDoor open_door_;
  Admission admission_;
  Desk desk_;
  AnswerCounts answers_;
  ServerCounts counts_;
  agent::Prober prober_;
  // After a lowering: how many more looks remove what nginx keeps.
  int forget_again_ = 0;
  // Last, so that they end first: they use what stands above.
  struct Forgetting;
  std::shared_ptr<Forgetting> forgetting_;
  agent::ErrandThread forgetter_;
  Follower follower_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<Door> door_;
};

}  // namespace headgate::endpoint
