// A session with a MariaDB server: see Session. libmariadb is used only in its non-blocking form.
// What is asked reads alone (its transactions are read-only, and the server ends what takes too
// long), in UTF-8, with the server's sql_mode, time zone and the like replaced by our own.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "controller/database/dsn.h"
#include "controller/database/session.h"

struct st_mysql;
struct st_mysql_res;

namespace headgate::database {

class MariaSession final : public Session {
 public:
  explicit MariaSession(std::string dsn) : dsn_(std::move(dsn)) {}
  ~MariaSession() override;

 private:
  enum class Step { kNone, kConnecting, kQuerying, kStoring };

  absl::StatusOr<std::string> HostToLookUp() override;
  bool HasConnection() const override { return connection_ != nullptr; }
  Connecting StartConnecting(const std::vector<std::string>& addresses,
                             const Deadlines& deadlines) override;
  Connecting ContinueConnecting() override;
  Statement Preparation(Duration statement_timeout) const override;
  Asking StartAsking(const Statement& statement) override;
  Asking ContinueAsking() override;
  void Disconnect() override;
  int Socket() const override;
  short EventsAwaited() const override;

  Connecting TryNextAddress();
  void SetOptions();
  Connecting AfterConnecting(const st_mysql* connected);
  Asking AfterQuery(int error);
  Asking AfterStoring(st_mysql_res* result);
  Asking Failure();
  // Goes on with the step under way; true: it has ended.
  bool Continue(int events);
  bool WantsNameOfServer() const;
  bool WantsEncryption() const;
  // Empty if there is none. It stays as long as options_ does.
  const std::string& Option(const std::string& key) const;
  std::string WithParameters(const Statement& statement) const;
  absl::Status LastError() const;

  const std::string dsn_;
  // Read anew for each connection: a password may have been changed meanwhile.
  DsnOptions options_;
  // Still to be tried, the next one last; and the one that is tried now, which libmariadb reads
  // until it is connected.
  std::vector<std::string> addresses_;
  std::string address_;
  st_mysql* connection_ = nullptr;
  Step step_ = Step::kNone;
  // What the step under way waits for, in libmariadb's words (MYSQL_WAIT_…).
  int awaited_ = 0;
  // errno after the last step.
  int system_error_ = 0;
  // Kept as long as libmariadb reads it.
  std::string sql_;
  bool has_names_ = false;
  // What the steps give.
  st_mysql* connected_ = nullptr;
  int query_error_ = 0;
  st_mysql_res* result_ = nullptr;
};

}  // namespace headgate::database
