#include "tests/controller/database/lab.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "common/base/check.h"
#include "tests/support/places.h"

namespace headgate::testing {
namespace {

constexpr Duration kReadyMax{120'000};

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "test lab: %s\n", why.c_str());
  std::exit(1);
}

}  // namespace

bool WaitUntil(const std::function<bool()>& condition, Duration patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    poll(nullptr, 0, 20);
  }
  return true;
}

LabProgram::LabProgram(const std::string& script, const std::vector<std::string>& arguments) {
  std::array<int, 2> to{};
  std::array<int, 2> from{};
  HEADGATE_CHECK(pipe2(to.data(), O_CLOEXEC) == 0 && pipe2(from.data(), O_CLOEXEC) == 0);
  to_ = to[1];
  from_ = from[0];
  std::vector<std::string> words = {"/usr/bin/python3", InSources("tests/support/lab/" + script)};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
  const int error = posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(to[0]);
  close(from[1]);
  if (error != 0) Die(fmt::format("{} cannot be started", script));
  std::signal(SIGPIPE, SIG_IGN);
  description_ = ReadLine();
}

LabProgram::~LabProgram() {
  close(to_);
  close(from_);
  int status = 0;
  const auto has_ended = [&] { return waitpid(pid_, &status, WNOHANG) == pid_; };
  if (WaitUntil(has_ended, Duration(10'000))) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, &status, 0);
}

void LabProgram::Do(const std::string& command) {
  const std::string line = command + "\n";
  HEADGATE_CHECK(write(to_, line.data(), line.size()) == static_cast<ssize_t>(line.size()));
  const std::string answer = ReadLine();
  const auto parsed = nlohmann::json::parse(answer, nullptr, false);
  if (!parsed.is_object() || !parsed.value("ok", false)) Die(command + ": " + answer);
}

std::string LabProgram::Told(const std::string& json_pointer) const {
  return nlohmann::json::parse(description_)
      .at(nlohmann::json::json_pointer(json_pointer))
      .get<std::string>();
}

std::string LabProgram::ReadLine() {
  const auto deadline = std::chrono::steady_clock::now() + kReadyMax;
  while (true) {
    if (const std::size_t end = unread_.find('\n'); end != std::string::npos) {
      std::string line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      return line;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd readable{.fd = from_, .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || poll(&readable, 1, static_cast<int>(left.count())) <= 0) {
      Die("no answer in time");
    }
    std::array<char, 4'096> bytes{};
    const ssize_t count = read(from_, bytes.data(), bytes.size());
    if (count <= 0) Die("it ended; its reason is above");
    unread_.append(bytes.data(), static_cast<std::size_t>(count));
  }
}

std::string DatabaseLab::Sql(const std::string& server, const std::string& sql,
                             const std::string& database) const {
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(
      PQconnectdb(fmt::format("{} connect_timeout=5 dbname={}",
                              program_.Told("/" + server + "/admin_dsn"), database)
                      .c_str()),
      &PQfinish);
  PQsetNoticeProcessor(
      connection.get(), [](void*, const char*) {}, nullptr);
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection.get(), sql.c_str()),
                                                             &PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    Die(fmt::format("{} at {}: {}", sql, server, PQerrorMessage(connection.get())));
  }
  if (status == PGRES_COMMAND_OK || PQntuples(result.get()) == 0) return "";
  return PQgetvalue(result.get(), 0, 0);
}

}  // namespace headgate::testing
