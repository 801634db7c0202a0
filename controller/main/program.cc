#include "controller/main/program.h"

#include <fmt/format.h>
#include <malloc.h>
#include <pthread.h>

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "common/metrics/exposition.h"
#include "common/tls/address.h"
#include "controller/declared/expectation.h"
#include "controller/declared/inventory_of.h"
#include "controller/plan/databases.h"
#include "controller/plan/plan.h"

namespace headgate {
namespace {

// How long the disk may take to say whether the journal can be used.
constexpr Duration kJournalAnswerMax{2'000};

void SayOnStderr(const absl::Status& status) {
  std::fprintf(stderr, "headgated: %s\n", std::string(status.message()).c_str());
}

// Beside the journal.
constexpr const char* kHistoryName = "databases.jsonl";

// Of each database, how far the comparison of its rows is.
std::string StateName(const std::string& database) { return "databases-" + database + ".state"; }

absl::StatusOr<std::vector<signals::DatabaseWatch>> ReadWatched(
    const std::string& path, const std::filesystem::path& folder) {
  // Opening a pipe would wait for whoever writes into it.
  std::error_code error;
  if (std::filesystem::is_other(path, error)) {
    return absl::NotFoundError(
        fmt::format("--databases {} is no regular file: put one in its place", path));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) {
    return absl::NotFoundError(fmt::format("--databases {} cannot be read: {}", path,
                                           std::generic_category().message(errno)));
  }
  std::stringstream bytes;
  bytes << file.rdbuf();
  // Baselines lie beside the file that names them.
  declared::Expectations expectations(std::filesystem::path(path).parent_path());
  const auto beside =
      [&](const std::string&,
          const engine::DatabaseSpec& spec) -> absl::StatusOr<engine::ExpectedSchema> {
    auto read = expectations.Read(spec);
    if (!read.ok()) return read.status();
    return std::move(read->expected);
  };
  const auto watched = plan::LoadDatabases(bytes.str(), path, beside);
  if (!watched.ok()) return watched.status();
  std::vector<signals::DatabaseWatch> databases;
  for (const auto& [name, spec] : watched->databases) {
    auto data = declared::RollingOf(spec.data);
    // Nobody waits to be let in: until all has been compared once, it is not known.
    if (data) {
      data->patience.reset();
      data->state_file = (folder / StateName(name)).string();
    }
    databases.push_back({.inventory = declared::InventoryOf(name, spec),
                         .look_every = watched->look_every,
                         .fingerprint_every = watched->fingerprint_every,
                         .data = std::move(data)});
  }
  return databases;
}

// The first of `signals` that comes within `patience`; 0: none.
int WaitForSignal(const sigset_t& signals, Duration patience) {
  const timespec wait{.tv_sec = patience.count() / 1'000,
                      .tv_nsec = patience.count() % 1'000 * 1'000'000};
  const int signal = sigtimedwait(&signals, nullptr, &wait);
  return signal > 0 ? signal : 0;
}

}  // namespace

void Program::Readiness::Set(absl::Status status) {
  const std::lock_guard lock(mutex_);
  status_ = std::move(status);
}

absl::Status Program::Readiness::Get() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

Program::Program(Options options, systemd::Service& service, conductor::Legacy legacy)
    : options_(std::move(options)),
      service_(service),
      legacy_(std::move(legacy)),
      log_(clock_, {.format = Log::FormatForStderr()}),
      program_metrics_(*registry_),
      loop_(clock_),
      metrics_(*registry_) {}

Program::End Program::Run(const sigset_t& signals) {
  absl::Status status = Start();
  if (!status.ok()) {
    log_.Error("cannot_start", {{"why", std::string(status.message())}});
    log_.Flush(Duration(500));
    SayOnStderr(status);
    return End::kFailed;
  }
  std::thread loop([this] {
    pthread_setname_np(pthread_self(), "loop");
    SayThatWeLive();
    loop_.Run();
  });
  End end = End::kFailed;
  status = Serve();
  if (status.ok()) {
    std::optional<End> ended;
    while (!ended) {
      const int signal = WaitForSignal(signals, kLookEvery);
      ended = signal == 0 ? LookAround() : End::kStopped;
      if (signal != 0) log_.Info("stopping", {{"signal", signal}});
    }
    end = *ended;
  } else {
    log_.Error("cannot_start", {{"why", std::string(status.message())}});
    SayOnStderr(status);
  }
  readiness_.Set(absl::UnavailableError("stopping"));
  if (end != End::kStartOver) service_.Stopping();
  doors_.reset();
  loop_.Stop();
  loop.join();
  // The loop asked them for readings until now.
  signals_.reset();
  watch_.reset();
  // The journal writes what it was given before the loop, which hears of it, is gone.
  journal_.reset();
  return end;
}

absl::Status Program::Start() {
  if (options_.plaintext) {
    const absl::Status allowed =
        tls::CheckPlaintextAllowed(options_.listen, options_.plaintext, "--plaintext");
    if (!allowed.ok()) return allowed;
  } else if (absl::Status loaded = LoadCertificate(); !loaded.ok()) {
    if (options_.socket.empty()) return loaded;
    certificate_trouble_ = absl::Status(
        loaded.code(),
        fmt::format("{}. Until it works only root on this host is served, at {}; it is looked at "
                    "every {} s",
                    std::string(loaded.message()), options_.socket, kLookEvery.count() / 1'000));
    log_.Error("certificate_unusable", {{"why", std::string(certificate_trouble_.message())}});
    SayOnStderr(certificate_trouble_);
  }
  OpenJournal();
  BuildRooms();
  WatchDatabases();
  recovered_ = conductor_->Recover();
  if (!recovered_.ok()) {
    log_.Error("lower_only", {{"why", std::string(recovered_.message())}});
    // Unused from here on: whoever mends it must find it unlocked.
    journal_.reset();
  }
  return absl::OkStatus();
}

absl::Status Program::LoadCertificate() {
  const tls::Files files{options_.ca, options_.cert, options_.key};
  absl::StatusOr<tls::Material> material = tls::Load(files, clock_.WallNow());
  if (!material.ok()) {
    return absl::Status(material.status().code(),
                        WithOption(options_, std::string(material.status().message())));
  }
  if (material->identity.role != tls::Role::kController) {
    return absl::FailedPreconditionError(
        fmt::format("--cert {} names the role {}, not that of a controller: issue one with "
                    "`headgate certs issue "
                    "--role controller`",
                    options_.cert, tls::RoleName(material->identity.role)));
  }
  program_metrics_.ShowCertificateEnd(material->not_after);
  renewal_.emplace(files, *std::move(material));
  return absl::OkStatus();
}

void Program::OpenJournal() {
  auto journal = journal::SqliteJournal::Open(options_.journal);
  if (journal.ok()) {
    journal_ = *std::move(journal);
  } else {
    journal_trouble_ = WithOption(options_, std::string(journal.status().message()));
    log_.Error("journal_unusable", {{"why", journal_trouble_}});
  }
}

void Program::BuildRooms() {
  signals_ = std::make_unique<signals::Signals>(
      [this](signals::Reading reading) {
        loop_.Post([this, reading = std::move(reading)] { conductor_->OnReading(reading); });
      },
      clock_);
  conductor_ = std::make_unique<conductor::Conductor>(conductor::Conductor::Dependencies{
      .loop = loop_,
      .clock = clock_,
      .log = log_,
      .journal = journal_.get(),
      .journal_trouble = journal_trouble_,
      .metrics = metrics_,
      .plan_from_source = [](const std::string& source) -> absl::StatusOr<engine::Plan> {
        auto plan = plan::FromSource(source);
        if (!plan.ok()) return plan.status();
        return plan::ToEngine(*plan);
      },
      .follow =
          [this](std::vector<signals::SignalSpec> specs) { signals_->Follow(std::move(specs)); },
      .refresh = [this](const std::string& name) { signals_->Refresh(name); },
      .default_prometheus_url = options_.prometheus_url,
      .controller_name = options_.name,
      .adopted_epoch = options_.adopt_epoch,
      .legacy = legacy_});
}

void Program::WatchDatabases() {
  if (options_.databases.empty()) return;
  const std::filesystem::path folder = std::filesystem::path(options_.journal).parent_path();
  auto found = ReadWatched(options_.databases, folder);
  if (!found.ok()) {
    watch_trouble_ = absl::FailedPreconditionError("no database is watched: " +
                                                   std::string(found.status().message()));
    log_.Error("databases_unusable", {{"why", std::string(found.status().message())}});
    return SayOnStderr(watch_trouble_);
  }
  watch_ = std::make_unique<watch::Watch>(
      watch::WatchOptions{.databases = *std::move(found),
                          .history_file = (folder / kHistoryName).string()},
      clock_, log_, *registry_);
}

absl::Status Program::Serve() {
  doors_.emplace(options_,
                 Doors::Dependencies{.loop = loop_,
                                     .conductor = *conductor_,
                                     .log = log_,
                                     .metrics = program_metrics_,
                                     .pages = {.metrics = [this] { return Exposition(*registry_); },
                                               .live = [] { return absl::OkStatus(); },
                                               .ready = [this] { return readiness_.Get(); }},
                                     .databases = [this](const std::string& name) {
                                       return api::ShowWatched(watch_.get(), watch_trouble_, name);
                                     }});
  std::optional<tls::Material> material;
  if (renewal_) material = renewal_->in_use();
  if (absl::Status opened = doors_->Open(material); !opened.ok()) return opened;
  if (!doors_->Trouble().ok()) SayOnStderr(doors_->Trouble());
  ShowReadiness();
  log_.Info("ready", {{"listen_port", doors_->network_port()},
                      {"metrics_port", doors_->metrics_port()},
                      {"health_port", doors_->health_port()},
                      {"version", HEADGATE_VERSION}});
  // Whatever it lacks: who waits for it could not help that, and it serves whom it can.
  service_.Ready();
  return absl::OkStatus();
}

void Program::SayThatWeLive() {
  if (!service_.alive_every()) return;
  service_.Alive();
  loop_.After(*service_.alive_every(), [this] { SayThatWeLive(); });
}

void Program::ShowReadiness() {
  if (!certificate_trouble_.ok()) {
    readiness_.Set(certificate_trouble_);
  } else if (!doors_->Trouble().ok()) {
    readiness_.Set(doors_->Trouble());
  } else if (!recovered_.ok()) {
    readiness_.Set(absl::UnavailableError("lower only: " + std::string(recovered_.message())));
  } else {
    readiness_.Set(absl::OkStatus());
  }
  const absl::Status status = readiness_.Get();
  service_.Say(status.ok() ? "serves operators and agents" : std::string(status.message()));
  doors_->ShowReady(status.ok());
}

std::optional<Program::End> Program::LookAround() {
  if (CanHaveWhatItLacked()) return End::kStartOver;
  LookAtCertificate();
  doors_->Look();
  ShowReadiness();
  // A thousand agents that come at once need for a moment twice what they need later, and glibc
  // would keep it.
  malloc_trim(0);
  return std::nullopt;
}

bool Program::CanHaveWhatItLacked() {
  if (!certificate_trouble_.ok() && LoadCertificate().ok()) {
    log_.Info("starting_over", {{"why", "the certificate works now"}});
    return true;
  }
  // What is damaged stays so until a person replaces it and starts the program again.
  if (recovered_.ok() || absl::IsDataLoss(recovered_)) return false;
  const auto journal = journal::SqliteJournal::Open(options_.journal, kJournalAnswerMax);
  if (!journal.ok() || !(*journal)->ProveWritable().ok()) return false;
  log_.Info("starting_over", {{"why", "the journal can be used now"}});
  return true;
}

void Program::LookAtCertificate() {
  if (!renewal_) return;
  const auto found = renewal_->Look(clock_.WallNow());
  program_metrics_.ShowCertificateRefused(renewal_->is_refused());
  if (!found.ok()) {
    log_.Error("certificate_refused", {{"why", std::string(found.status().message())}});
    return;
  }
  if (!found->has_value()) return;
  program_metrics_.ShowCertificateEnd((*found)->not_after);
  // Agents and watchers come back by themselves; the reign and all evidence stay.
  doors_->Renew(**found);
}

}  // namespace headgate
