#include "controller/database/servers.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

#include "common/base/check.h"
#include "controller/database/dsn.h"
#include "controller/database/maria_dsn.h"
#include "controller/database/maria_session.h"
#include "controller/database/postgres_session.h"

namespace headgate::database {

std::unique_ptr<Session> MakeSession(Engine engine, const std::string& dsn) {
  if (engine == Engine::kMariadb) return std::make_unique<MariaSession>(dsn);
  return std::make_unique<PostgresSession>(dsn);
}

std::string AddressForPeople(Engine engine, const std::string& dsn) {
  return engine == Engine::kMariadb ? FormatMariaDsnForPeople(dsn) : FormatDsnForPeople(dsn);
}

Servers::Servers(const Inventory& inventory) : wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  HEADGATE_CHECK(wake_fd_ >= 0);
  sessions_[kPrimary] = MakeSession(inventory.engine, inventory.primary_dsn);
  for (const Replica& replica : inventory.replicas) {
    if (replica.dsn.empty()) continue;
    sessions_[replica.name] = MakeSession(inventory.engine, replica.dsn);
  }
}

Servers::~Servers() { close(wake_fd_); }

std::map<std::string, Answers> Servers::Ask(const Questions& questions,
                                            const Session::Deadlines& deadlines,
                                            const Clock& clock) {
  std::vector<Session*> asked;
  const TimePoint now = clock.Now();
  for (const auto& [server, statements] : questions) {
    const auto session = sessions_.find(server);
    if (session == sessions_.end()) continue;
    session->second->Begin(statements, deadlines, now);
    asked.push_back(session->second.get());
  }
  RunSessions(asked, clock, wake_fd_);
  std::map<std::string, Answers> answers;
  for (const auto& [server, statements] : questions) {
    const auto session = sessions_.find(server);
    if (session != sessions_.end()) answers.emplace(server, session->second->Answers());
  }
  return answers;
}

bool Servers::Pause(Duration pause) const {
  pollfd woken{.fd = wake_fd_, .events = POLLIN, .revents = 0};
  poll(&woken, 1, static_cast<int>(pause.count()));
  return woken.revents == 0;
}

void Servers::Interrupt() {
  const eventfd_t one = 1;
  // Only a counter that is full already could refuse, and then it is readable.
  (void)eventfd_write(wake_fd_, one);
}

}  // namespace headgate::database
