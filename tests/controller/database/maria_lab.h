// MariaDB servers for tests: a primary, db1, and a replica of it by GTID, db2, on free ports of
// loopback, with a small shop. One thread. When this object or this process goes, the servers go.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/temp_folder.h"

namespace headgate::testing {

class MariaServer {
 public:
  struct Settings {
    std::string folder;
    std::uint32_t id = 1;
    // Further arguments of mariadbd.
    std::vector<std::string> more{};
  };

  // Makes its data folder and starts it. Ends the test program, loudly, if it does not get ready.
  explicit MariaServer(Settings settings);

  // As root; the first cell of the answer, or "". Ends the test program on an error.
  std::string Sql(const std::string& sql) const;
  void Start();
  // SIGKILL.
  void Kill();
  void Stop() { process_.reset(); }
  void Signal(int signal) const { process_->Signal(signal); }
  std::uint16_t port() const { return port_; }
  std::string socket() const { return settings_.folder + "/socket"; }

 private:
  const Settings settings_;
  const std::uint16_t port_;
  std::unique_ptr<test::Process> process_;
};

class MariaLab {
 public:
  MariaLab();

  MariaServer& db1() { return *db1_; }
  MariaServer& db2() { return *db2_; }
  // As `headgate`, which has the rights of docs/DATABASE.md and a password in an option file, or
  // as another account of the lab: `guest` may log in, `clerk` may read shop.orders.
  std::string Dsn(const MariaServer& server, const std::string& user = "headgate") const {
    return Dsn(server.port(), user);
  }
  std::string Dsn(std::uint16_t port, const std::string& user = "headgate") const;
  // Makes db2 fetch from another port of loopback: a relay to db1.
  void FeedDb2From(std::uint16_t port);
  // Until db2 has replayed what db1 has written; false: not within `patience`.
  bool Catches(std::chrono::milliseconds patience = std::chrono::seconds(10));
  // Another server, that nobody replicates from.
  std::unique_ptr<MariaServer> Another(std::uint32_t id, const std::vector<std::string>& more = {});

 private:
  const test::TempFolder folder_;
  std::unique_ptr<MariaServer> db1_;
  std::unique_ptr<MariaServer> db2_;
};

}  // namespace headgate::testing
