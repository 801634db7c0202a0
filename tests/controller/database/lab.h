// The test lab's programs (tests/support/lab), driven from C++: starts one, waits until it is
// ready, sends it commands. One thread. When this object or this process goes, the servers go: the
// program ends when its stdin closes.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"

namespace headgate::testing {

// Until `condition` holds; false: it did not within `patience`.
bool WaitUntil(const std::function<bool()>& condition, Duration patience);

class LabProgram {
 public:
  // `script` in tests/support/lab. Ends the test program, loudly, if it does not get ready.
  explicit LabProgram(const std::string& script, const std::vector<std::string>& arguments = {});
  ~LabProgram();
  LabProgram(const LabProgram&) = delete;
  LabProgram& operator=(const LabProgram&) = delete;

  // "pause db2". Ends the test program if the lab refuses.
  void Do(const std::string& command);
  // What it printed when it was ready: the string at this path, e.g. "/db1/dsn".
  std::string Told(const std::string& json_pointer) const;

 private:
  std::string ReadLine();

  pid_t pid_ = -1;
  int to_ = -1;
  int from_ = -1;
  std::string unread_;
  std::string description_;
};

// The shop's databases: db1 (primary), db2 (physical standby), db3 (logical replica).
class DatabaseLab {
 public:
  DatabaseLab() : program_("postgres.py") {}

  std::string Dsn(const std::string& server) const { return program_.Told("/" + server + "/dsn"); }
  std::string GuestDsn(const std::string& server) const {
    return program_.Told("/" + server + "/guest_dsn");
  }
  // Where the servers keep their data: the folder, and in it each server's name.
  std::string Folder() const { return program_.Told("/folder"); }
  // As superuser; the first cell of the answer, or "". Ends the test program on an error.
  std::string Sql(const std::string& server, const std::string& sql,
                  const std::string& database = "shop") const;
  void Do(const std::string& command) { program_.Do(command); }

 private:
  LabProgram program_;
};

}  // namespace headgate::testing
