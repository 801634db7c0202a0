// `headgate dbcheck`.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <stop_token>
#include <thread>
#include <utility>

#include "cli/baselines.h"
#include "cli/database_check.h"
#include "cli/dbcheck_inventory.h"
#include "cli/dbcheck_told.h"
#include "cli/session.h"
#include "cli/text.h"
#include "controller/database/baseline.h"
#include "controller/database/comparison_state.h"
#include "controller/database/whole_file.h"
#include "controller/engine/plan_limits.h"
#include "controller/plan/plan.h"

namespace headgate::cli {
namespace {

constexpr Duration kTellEvery{5'000};
constexpr Duration kDrawEvery{200};
constexpr Duration kLookForEnd{50};

// Of a baseline that nobody reads.
absl::StatusOr<engine::ExpectedSchema> Unread() {
  return engine::ExpectedSchema{.fingerprint = std::string(engine::kFingerprintDigits, '0')};
}

absl::Status Cleaned(const absl::Status& status) {
  return absl::Status(status.code(), Clean(std::string(status.message())));
}

ExitCode ExitOf(Sameness sameness) {
  switch (sameness) {
    case Sameness::kSame:
      return ExitCode::kDone;
    case Sameness::kDifferent:
      return ExitCode::kRefused;
    case Sameness::kUnknown:
      break;
  }
  return ExitCode::kCouldNotTell;
}

// Ends a check on Ctrl-C and when its time is up.
class EndOfTime {
 public:
  EndOfTime(DatabaseCheck& check, std::optional<TimePoint> deadline, const Session& session)
      : thread_([&check, deadline, &session](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            const bool is_over = deadline.has_value() && session.clock.Now() >= *deadline;
            if (!session.interrupt.WaitFor(kLookForEnd) && !is_over) continue;
            return check.Interrupt();
          }
        }) {}

 private:
  std::jthread thread_;
};

// One command; one thread.
class Dbcheck {
 public:
  Dbcheck(const Command& command, Session& session)
      : command_(command), flags_(command.dbcheck), session_(session) {
    if (command.timeout.has_value()) deadline_ = session.clock.Now() + *command.timeout;
  }

  ExitCode Run();

 private:
  // What is wrong has been said where it is no database.
  absl::StatusOr<std::vector<DeclaredDatabase>> Declared(ExitCode& refused);
  absl::Status ReadFiles(const std::string& engine);
  ExitCode WriteBaseline(const DeclaredDatabase& declared);
  absl::Status Check(const DeclaredDatabase& declared);
  DatabaseCheck::Teller Teller();
  void Draw(const database::ComparisonProgress& progress);
  void EndDrawing();
  ExitCode Usage(const absl::Status& status) {
    return Refuse(ExitCode::kUsage, std::string(status.message()), command_, session_);
  }
  bool IsDrawn() const { return session_.terminal.is_live && command_.output == Output::kText; }

  const Command& command_;
  const DbcheckFlags& flags_;
  Session& session_;
  std::optional<TimePoint> deadline_;
  std::optional<database::Schema> baseline_;
  std::string state_;
  std::vector<CheckedDatabase> checked_;
  std::string phase_;
  TimePoint data_began_;
  TimePoint told_;
  bool is_line_open_ = false;
};

absl::StatusOr<std::vector<DeclaredDatabase>> Dbcheck::Declared(ExitCode& refused) {
  refused = ExitCode::kDone;
  if (command_.plan_file.empty()) {
    auto declared = DatabaseOf(flags_);
    if (!declared.ok()) return declared.status();
    return std::vector<DeclaredDatabase>{*std::move(declared)};
  }
  const absl::StatusOr<std::string> bytes = ReadPlanFile(command_, session_);
  if (!bytes.ok()) return bytes.status();
  Baselines baselines(command_.plan_file);
  // One that is about to be written need not be there, and one that is given goes before.
  const bool reads_them = flags_.write_baseline.empty() && flags_.baseline.empty();
  const auto plan = reads_them ? LoadPlanOf(command_, *bytes, baselines)
                               : plan::LoadPlan(*bytes, NameOfPlan(command_), nullptr,
                                                [](const auto&, const auto&) { return Unread(); });
  if (!plan.ok()) {
    refused = RefuseFile(plan.status(), command_, session_);
    return plan.status();
  }
  auto databases = DatabasesOf(plan->spec(), flags_.database);
  if (!databases.ok()) return databases;
  for (DeclaredDatabase& database : *databases) {
    const auto read = baselines.read().find(database.inventory.name);
    if (read != baselines.read().end()) database.baseline = read->second.schema;
    // It is compared with the definitions themselves.
    if (database.baseline || !reads_them) database.inventory.expected.reset();
  }
  return databases;
}

absl::Status Dbcheck::ReadFiles(const std::string& engine) {
  if (!flags_.baseline.empty()) {
    auto schema = database::ReadBaselineFile(flags_.baseline, engine);
    if (!schema.ok()) return Cleaned(schema.status());
    baseline_ = *std::move(schema);
  }
  if (flags_.state.empty()) return absl::OkStatus();
  auto state = database::ReadWholeFile(flags_.state, database::kStateBytesMax);
  // The first run has none.
  if (absl::IsNotFound(state.status())) return absl::OkStatus();
  const bool is_empty = state.ok() && state->empty();
  if (!state.ok() || is_empty) {
    // Not taken for the first run: hours of comparing may be in it.
    return absl::InvalidArgumentError(
        fmt::format("--state {}: mend that, or remove it to begin anew",
                    is_empty ? Clean(flags_.state) + " is empty: it was not fully written"
                             : Clean(std::string(state.status().message()))));
  }
  state_ = *std::move(state);
  return absl::OkStatus();
}

ExitCode Dbcheck::Run() {
  ExitCode refused = ExitCode::kDone;
  auto declared = Declared(refused);
  if (refused != ExitCode::kDone) return refused;
  if (!declared.ok()) return Usage(declared.status());
  const bool is_of_one =
      !flags_.state.empty() || !flags_.baseline.empty() || !flags_.write_baseline.empty();
  if (is_of_one && declared->size() > 1) {
    return Usage(absl::InvalidArgumentError(
        "a baseline and a state are of one database: say which with --database"));
  }
  if (absl::Status status = ReadFiles(declared->front().engine); !status.ok()) {
    return Usage(status);
  }
  if (!flags_.write_baseline.empty()) return WriteBaseline(declared->front());
  for (const DeclaredDatabase& database : *declared) {
    if (absl::Status status = Check(database); !status.ok()) return Usage(status);
    if (session_.interrupt.IsRaised()) break;
  }
  if (session_.interrupt.IsRaised()) {
    return Refuse(ExitCode::kDetached,
                  flags_.state.empty() ? "stopped" : "stopped; --state goes on from here", command_,
                  session_);
  }
  const ExitCode code = ExitOf(SamenessOf(checked_));
  if (command_.output == Output::kJson) {
    session_.terminal.out << DbcheckJson(checked_, static_cast<int>(code));
    return code;
  }
  for (const std::string& line : DbcheckText(checked_, session_.terminal.has_color)) {
    session_.terminal.out << line << '\n';
  }
  return code;
}

ExitCode Dbcheck::WriteBaseline(const DeclaredDatabase& declared) {
  DatabaseCheck check(declared, flags_, std::nullopt, Teller(), session_.clock);
  absl::StatusOr<database::Schema> schema = [&] {
    const EndOfTime end(check, deadline_, session_);
    return check.ReadPrimarySchema();
  }();
  if (schema.ok() && schema->empty()) {
    schema = absl::NotFoundError("no table is visible: is dbname right?");
  }
  if (!schema.ok()) {
    return Refuse(
        ExitCode::kCouldNotTell,
        "the primary's schema could not be read: " + std::string(schema.status().message()),
        command_, session_);
  }
  const absl::Status written = database::WriteWholeFile(
      flags_.write_baseline, database::WriteBaseline(*schema, declared.engine));
  if (!written.ok()) {
    return Refuse(ExitCode::kInternal, Clean(std::string(written.message())), command_, session_);
  }
  session_.terminal.out << (command_.output == Output::kJson
                                ? fmt::format("{{\"objects\": {}}}\n", schema->size())
                                : fmt::format("{} objects written to {}\n", schema->size(),
                                              Clean(flags_.write_baseline)));
  return ExitCode::kDone;
}

absl::Status Dbcheck::Check(const DeclaredDatabase& declared) {
  DatabaseCheck check(declared, flags_, baseline_ ? baseline_ : declared.baseline, Teller(),
                      session_.clock);
  absl::Status status;
  {
    const EndOfTime end(check, deadline_, session_);
    status = check.Run(state_, command_.wait);
  }
  EndDrawing();
  if (!status.ok()) {
    return absl::InvalidArgumentError(fmt::format(
        "{}: {}; remove it to begin anew", Clean(flags_.state), std::string(status.message())));
  }
  checked_.push_back(check.checked());
  return absl::OkStatus();
}

DatabaseCheck::Teller Dbcheck::Teller() {
  return {.phase =
              [this](const std::string& what) {
                if (what == phase_) return;
                phase_ = what;
                data_began_ = told_ = session_.clock.Now();
                EndDrawing();
                if (command_.output == Output::kText) {
                  session_.terminal.err << "headgate: " << Clean(what) << '\n';
                }
              },
          .progress = [this](const database::ComparisonProgress& progress) { Draw(progress); },
          .keep =
              [this](const std::string& state) {
                if (flags_.state.empty()) return;
                if (state.empty()) {
                  std::remove(flags_.state.c_str());
                } else if (absl::Status status = database::WriteWholeFile(flags_.state, state);
                           !status.ok()) {
                  session_.terminal.err << "headgate: " << Clean(std::string(status.message()))
                                        << '\n';
                }
              }};
}

void Dbcheck::Draw(const database::ComparisonProgress& progress) {
  const TimePoint now = session_.clock.Now();
  if (now - told_ < (IsDrawn() ? kDrawEvery : kTellEvery)) return;
  told_ = now;
  const std::string text = ProgressText(progress, now - data_began_, IsDrawn());
  if (!IsDrawn()) {
    session_.terminal.err << "headgate: data: " << text << '\n';
    return;
  }
  const int columns = session_.terminal.size().columns;
  session_.terminal.out << "\r\x1b[K"
                        << Cut(text, static_cast<std::size_t>(columns > 1 ? columns - 1 : 1))
                        << std::flush;
  is_line_open_ = true;
}

void Dbcheck::EndDrawing() {
  if (is_line_open_) session_.terminal.out << "\r\x1b[K" << std::flush;
  is_line_open_ = false;
}

}  // namespace

ExitCode RunDbcheck(const Command& command, Session& session) {
  return Dbcheck(command, session).Run();
}

}  // namespace headgate::cli
