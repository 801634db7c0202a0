// The connections to the servers of one inventory, driven together.
// One thread owns it; Interrupt may be called from any. Promises: a round takes no longer than its
// total deadline, whatever any server does, and one server delays no other.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "controller/database/inventory.h"
#include "controller/database/session.h"

namespace headgate::database {

// What to ask of whom: by the replica's name, or Servers::kPrimary.
using Questions = std::map<std::string, std::vector<Statement>>;

std::unique_ptr<Session> MakeSession(Engine engine, const std::string& dsn);
// "shop at db1:3306 as headgate": a connection string as it may be shown.
std::string AddressForPeople(Engine engine, const std::string& dsn);

class Servers {
 public:
  // Not a name that a replica can have.
  static constexpr const char* kPrimary = "";

  explicit Servers(const Inventory& inventory);
  ~Servers();
  Servers(const Servers&) = delete;
  Servers& operator=(const Servers&) = delete;

  // Asks all at the same time. Whoever has no dsn is left out.
  std::map<std::string, Answers> Ask(const Questions& questions,
                                     const Session::Deadlines& deadlines, const Clock& clock);
  // False: interrupted.
  bool Pause(Duration pause) const;
  void Interrupt();
  bool IsInterrupted() const { return !Pause(Duration(0)); }

 private:
  // An eventfd: readable from Interrupt on.
  const int wake_fd_;
  std::map<std::string, std::unique_ptr<Session>> sessions_;
};

}  // namespace headgate::database
