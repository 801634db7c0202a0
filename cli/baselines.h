// The baselines that a plan's databases expect: files beside the plan. What they come to is sent
// along with it; `dbcheck` compares with all that is in them.
// One thread, for one command.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "controller/declared/expectation.h"
#include "controller/engine/plan.h"

namespace headgate::cli {

class Baselines {
 public:
  // Of a plan in this file; "-": of the working directory.
  explicit Baselines(const std::string& plan_file);

  // As plan::ReadExpected says. Takes the tables that fit beside those of the databases before it.
  absl::StatusOr<engine::ExpectedSchema> Read(const std::string& name,
                                              const engine::DatabaseSpec& database);

  // By the database's name.
  const std::map<std::string, declared::Expectation>& read() const { return read_; }
  bool has_failed() const { return has_failed_; }

 private:
  declared::Expectations files_;
  std::map<std::string, declared::Expectation> read_;
  bool has_failed_ = false;
};

}  // namespace headgate::cli
