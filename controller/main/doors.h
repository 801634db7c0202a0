// headgated's listeners: the network, root's Unix socket, the status pages, and the
// probes' port. Each opens, fails
// and is opened anew by itself, so that none takes the others away. Of main's thread; they serve on
// threads of their own.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/health/health_listener.h"
#include "common/http/status_server.h"
#include "common/log/log.h"
#include "common/tls/files.h"
#include "controller/api/server.h"
#include "controller/main/metrics.h"
#include "controller/main/options.h"

namespace headgate {

// So many looks in a row that a listener does not answer before it is opened anew. A flood of
// connections makes it slow to answer, and opening it anew would cut off who is connected.
inline constexpr int kUnansweredMax = 5;

class Doors {
 public:
  struct Dependencies {
    Loop& loop;
    conductor::Conductor& conductor;
    Log& log;
    ProgramMetrics& metrics;
    http::StatusPages pages;
    api::ShowDatabases databases;
  };

  // `options`: the ports that are taken are written into it, and kept.
  Doors(Options& options, Dependencies dependencies);
  ~Doors();

  // Opens those that the options ask for. Without `material` and unless the options say plaintext,
  // the network is left out. An error of each that could not be opened is logged and tried again at
  // every look; returned is one if there is no way in at all.
  absl::Status Open(const std::optional<tls::Material>& material);
  // Why a listener that should be open is not; OK: all are.
  absl::Status Trouble() const;
  int network_port() const;
  int metrics_port() const;
  int health_port() const;

  // Opens anew what is closed, and what has not answered for long.
  void Look();
  // What probes are told from now on.
  void ShowReady(bool is_ready);
  // A renewed certificate.
  void Renew(const tls::Material& material);
  // Ends every stream and call.
  void Close();

 private:
  struct Door {
    const char* name = "";
    bool is_wanted = false;
    bool is_open = false;
    absl::Status trouble;
    int unanswered = 0;
  };

  absl::Status OpenNetwork();
  absl::Status OpenSocket();
  absl::Status OpenStatus();
  absl::Status OpenHealth();
  void Try(Door& door, absl::Status (Doors::*open)());
  void Reopen(Door& door, absl::Status (Doors::*open)(), const std::string& why);
  void Count(Door& door, bool is_silent);
  void CloseOne(Door& door);

  Options& options_;
  const Dependencies dependencies_;
  std::optional<tls::Material> material_;
  Door network_door_{.name = "network"};
  Door socket_door_{.name = "socket"};
  Door status_door_{.name = "status pages"};
  Door health_door_{.name = "health"};
  bool is_ready_ = false;
  std::unique_ptr<http::StatusServer> status_;
  std::unique_ptr<HealthListener> health_;
  std::unique_ptr<api::Listener> network_;
  std::unique_ptr<api::Listener> socket_;
};

}  // namespace headgate
