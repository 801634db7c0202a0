#include "controller/database/maria_session.h"

#include <fmt/format.h>
#include <mysql.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <memory>
#include <string_view>
#include <utility>

#include "common/base/check.h"
#include "controller/database/maria_dsn.h"

namespace headgate::database {
namespace {

using Result = std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)>;

// Of libmariadb itself, not of a server (errmsg.h).
constexpr unsigned kNoSocketConnection = 2002;
constexpr unsigned kNoHostConnection = 2003;
constexpr unsigned kServerGone = 2006;
constexpr unsigned kServerLost = 2013;
constexpr unsigned kClientErrors = 2000;
constexpr unsigned kClientErrorsEnd = 3000;

constexpr std::array<unsigned, 10> kRefusals = {1044,   // access denied to a database
                                                1045,   // access denied: login
                                                1130,   // this host may not connect
                                                1142,   // denied for a table
                                                1143,   // denied for a column
                                                1227,   // a privilege is missing
                                                1370,   // denied for a routine
                                                1410,   // may not grant
                                                1698,   // access denied without a password
                                                4151};  // account is locked
constexpr unsigned kShutdown = 1053;
constexpr unsigned kConnectionKilled = 1927;
constexpr unsigned kStatementTimeout = 1969;
constexpr unsigned kLockTimeout = 1205;

// "Can't connect to server on '192.0.2.1' (111)", "… packet', system error: 104" -> the number.
int SystemErrorIn(std::string_view message) {
  const std::size_t from = message.find_last_not_of("0123456789)\"") + 1;
  std::string_view digits = message.substr(from);
  int error = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), error);
  return error;
}

// Whether the far end itself proves that nobody serves there: refused, no such socket, or hung up.
// "No route", "timed out" and the like prove only that we cannot reach it.
bool ProvesAbsence(unsigned code, std::string_view message, int system_error) {
  if (code == kNoSocketConnection || code == kNoHostConnection) {
    const int error = SystemErrorIn(message);
    return error == ECONNREFUSED || error == ENOENT;
  }
  if (code != kServerGone && code != kServerLost) return false;
  constexpr std::array<int, 4> kOfTheWay = {ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ENETDOWN};
  return std::find(kOfTheWay.begin(), kOfTheWay.end(), system_error) == kOfTheWay.end();
}

absl::Status StatusOf(unsigned code, const std::string& text) {
  if (std::find(kRefusals.begin(), kRefusals.end(), code) != kRefusals.end()) {
    return absl::PermissionDeniedError(text);
  }
  if (code == kStatementTimeout || code == kLockTimeout) return absl::DeadlineExceededError(text);
  if (code == kShutdown) return absl::UnavailableError(text);
  return absl::UnknownError(text);
}

Rows ToRows(MYSQL_RES* result, bool with_names) {
  Rows rows;
  rows.reserve(mysql_num_rows(result) + 1);
  const unsigned columns = mysql_num_fields(result);
  if (with_names) {
    Row& names = rows.emplace_back();
    const MYSQL_FIELD* fields = mysql_fetch_fields(result);
    for (unsigned i = 0; i < columns; ++i) names.emplace_back(fields[i].name);
  }
  while (const MYSQL_ROW cells = mysql_fetch_row(result)) {
    const unsigned long* lengths = mysql_fetch_lengths(result);
    Row& row = rows.emplace_back();
    row.reserve(columns);
    for (unsigned i = 0; i < columns; ++i) {
      if (cells[i] == nullptr) {
        row.emplace_back(std::nullopt);
        continue;
      }
      row.emplace_back(std::string(cells[i], lengths[i]));
    }
  }
  return rows;
}

}  // namespace

MariaSession::~MariaSession() { Disconnect(); }

absl::StatusOr<std::string> MariaSession::HostToLookUp() {
  const absl::StatusOr<DsnOptions> options = ReadMariaDsn(dsn_);
  if (!options.ok()) return options.status();
  options_ = *options;
  const std::string& host = Option("host");
  return Resolver::NeedsLookup(host) ? host : "";
}

const std::string& MariaSession::Option(const std::string& key) const {
  static const std::string none;
  const auto found = options_.find(key);
  return found == options_.end() ? none : found->second;
}

// libmariadb holds the name in a certificate against what it connects to, so then it gets the name,
// and looks it up once more itself; ours has just told that this can be done.
bool MariaSession::WantsNameOfServer() const { return Option("ssl_verify_name") == "yes"; }

bool MariaSession::WantsEncryption() const {
  return WantsNameOfServer() || !Option("ssl_ca").empty() || !Option("ssl_capath").empty() ||
         !Option("ssl_cert").empty();
}

Session::Connecting MariaSession::StartConnecting(const std::vector<std::string>& addresses,
                                                  const Deadlines& /*deadlines*/) {
  addresses_.assign(addresses.rbegin(), addresses.rend());
  if (addresses_.empty() || WantsNameOfServer()) addresses_ = {Option("host")};
  return TryNextAddress();
}

Session::Connecting MariaSession::TryNextAddress() {
  Disconnect();
  address_ = std::move(addresses_.back());
  addresses_.pop_back();
  connection_ = mysql_init(nullptr);
  HEADGATE_CHECK(connection_ != nullptr);  // only without memory
  SetOptions();
  step_ = Step::kConnecting;
  const std::string& socket = Option("socket");
  const std::string& port = Option("port");
  errno = 0;
  // What it is given must stay until it is connected.
  awaited_ = mysql_real_connect_start(
      &connected_, connection_, address_.empty() ? nullptr : address_.c_str(),
      Option("user").c_str(), Option("password").c_str(), Option("dbname").c_str(),
      port.empty() ? 3306U : static_cast<unsigned>(std::stoul(port)),
      socket.empty() ? nullptr : socket.c_str(), 0);
  system_error_ = errno;
  return awaited_ == 0 ? AfterConnecting(connected_) : Waiting{};
}

void MariaSession::SetOptions() {
  // Of libmariadb's own stack, in which it may look up a name: its usual one is too small for that.
  const std::size_t stack_bytes = 256 * 1024;
  mysql_options(connection_, MYSQL_OPT_NONBLOCK, &stack_bytes);
  // "localhost" too: to libmariadb it means a socket.
  const unsigned tcp = MYSQL_PROTOCOL_TCP;
  if (Option("socket").empty()) mysql_options(connection_, MYSQL_OPT_PROTOCOL, &tcp);
  mysql_options(connection_, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  // A server that is not ours may ask its client for files.
  const unsigned none = 0;
  mysql_options(connection_, MYSQL_OPT_LOCAL_INFILE, &none);
  mysql_optionsv(connection_, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "headgate");
  const auto set = [&](const char* key, mysql_option option) {
    const std::string& value = Option(key);
    if (!value.empty()) mysql_optionsv(connection_, option, value.c_str());
  };
  set("ssl_ca", MYSQL_OPT_SSL_CA);
  set("ssl_capath", MYSQL_OPT_SSL_CAPATH);
  set("ssl_cert", MYSQL_OPT_SSL_CERT);
  set("ssl_key", MYSQL_OPT_SSL_KEY);
  set("ssl_cipher", MYSQL_OPT_SSL_CIPHER);
  set("tls_version", MARIADB_OPT_TLS_VERSION);
  const my_bool yes = 1;
  if (WantsEncryption()) mysql_optionsv(connection_, MYSQL_OPT_SSL_ENFORCE, &yes);
  if (WantsNameOfServer()) {
    mysql_optionsv(connection_, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
  }
  // None that gives the password away: not even encryption is certain before it is sent.
  mysql_optionsv(connection_, MARIADB_OPT_RESTRICTED_AUTH,
                 "mysql_native_password,client_ed25519,caching_sha2_password,auth_gssapi_client");
}

bool MariaSession::Continue(int events) {
  errno = 0;
  switch (step_) {
    case Step::kNone:
      return true;
    case Step::kConnecting:
      awaited_ = mysql_real_connect_cont(&connected_, connection_, events);
      break;
    case Step::kQuerying:
      awaited_ = mysql_real_query_cont(&query_error_, connection_, events);
      break;
    case Step::kStoring:
      awaited_ = mysql_store_result_cont(&result_, connection_, events);
      break;
  }
  system_error_ = errno;
  return awaited_ == 0;
}

Session::Connecting MariaSession::ContinueConnecting() {
  return Continue(awaited_) ? AfterConnecting(connected_) : Waiting{};
}

Session::Connecting MariaSession::AfterConnecting(const st_mysql* connected) {
  step_ = Step::kNone;
  if (connected != nullptr) {
    // Where the server offers no encryption, libmariadb goes on without, whatever it was told.
    if (!WantsEncryption() || mysql_get_ssl_cipher(connection_) != nullptr) return Connected{};
    return Lost{
        absl::UnknownError("the server does not encrypt connections, and ssl_… asks for it")};
  }
  const absl::Status failure = LastError();
  const unsigned code = mysql_errno(connection_);
  const bool is_unreached = code == kNoHostConnection || code == kServerLost;
  if (is_unreached && !addresses_.empty()) return TryNextAddress();
  return Lost{failure};
}

// One statement for all: each costs a way there and back.
Statement MariaSession::Preparation(Duration statement_timeout) const {
  return {.sql = fmt::format(
              "SET SESSION tx_read_only = 1, max_statement_time = {}, lock_wait_timeout = 1, "
              "innodb_lock_wait_timeout = 1, tx_isolation = 'READ-COMMITTED', "
              "sql_mode = '', time_zone = '+00:00', sql_big_selects = 1, "
              "sql_select_limit = 18446744073709551615, "
              "collation_connection = utf8mb4_bin, group_concat_max_len = 16777216, "
              "lc_messages = 'en_US'",
              static_cast<double>(statement_timeout.count()) / 1'000.0),
          .parameters = {}};
}

std::string MariaSession::WithParameters(const Statement& statement) const {
  std::string sql;
  std::size_t next = 0;
  bool is_in_name = false;
  for (const char letter : statement.sql) {
    // One in a name is doubled, which comes to the same.
    if (letter == '`') is_in_name = !is_in_name;
    if (letter != '?' || is_in_name) {
      sql += letter;
      continue;
    }
    HEADGATE_CHECK(next < statement.parameters.size());
    const std::string& value = statement.parameters[next++];
    std::string escaped(value.size() * 2 + 1, '\0');
    escaped.resize(
        mysql_real_escape_string(connection_, escaped.data(), value.data(), value.size()));
    sql += fmt::format("'{}'", escaped);
  }
  HEADGATE_CHECK(next == statement.parameters.size());
  return sql;
}

Session::Asking MariaSession::StartAsking(const Statement& statement) {
  sql_ = WithParameters(statement);
  has_names_ = statement.with_names;
  step_ = Step::kQuerying;
  errno = 0;
  awaited_ = mysql_real_query_start(&query_error_, connection_, sql_.data(), sql_.size());
  system_error_ = errno;
  return awaited_ == 0 ? AfterQuery(query_error_) : Waiting{};
}

Session::Asking MariaSession::ContinueAsking() {
  if (!Continue(awaited_)) return Waiting{};
  return step_ == Step::kQuerying ? AfterQuery(query_error_) : AfterStoring(result_);
}

Session::Asking MariaSession::AfterQuery(int error) {
  step_ = Step::kNone;
  if (error != 0) return Failure();
  step_ = Step::kStoring;
  errno = 0;
  awaited_ = mysql_store_result_start(&result_, connection_);
  system_error_ = errno;
  return awaited_ == 0 ? AfterStoring(result_) : Waiting{};
}

Session::Asking MariaSession::AfterStoring(st_mysql_res* result) {
  step_ = Step::kNone;
  result_ = nullptr;
  const Result owned(result, &mysql_free_result);
  if (mysql_errno(connection_) != 0) return Failure();
  if (result == nullptr) return absl::StatusOr<Rows>(Rows());
  if (mysql_num_rows(result) > static_cast<unsigned>(kRowsMax)) {
    return absl::StatusOr<Rows>(absl::UnknownError(
        fmt::format("the answer has {} rows, more than {}", mysql_num_rows(result), kRowsMax)));
  }
  return absl::StatusOr<Rows>(ToRows(result, has_names_));
}

Session::Asking MariaSession::Failure() {
  const unsigned code = mysql_errno(connection_);
  const bool is_lost =
      (code >= kClientErrors && code < kClientErrorsEnd) || code == kConnectionKilled;
  if (is_lost) return Lost{LastError()};
  return absl::StatusOr<Rows>(LastError());
}

absl::Status MariaSession::LastError() const {
  const unsigned code = mysql_errno(connection_);
  const std::string message = mysql_error(connection_);
  const std::string text = ScrubServerText(message, options_);
  if (ProvesAbsence(code, message, system_error_)) return absl::UnavailableError(text);
  return StatusOf(code, text);
}

void MariaSession::Disconnect() {
  if (connection_ == nullptr) return;
  // A step under way holds memory that only its own end gives back. It ends at once, because its
  // next look at the socket fails.
  constexpr int kStepsMax = 16;
  const int socket = Socket();
  if (step_ != Step::kNone && socket >= 0) shutdown(socket, SHUT_RDWR);
  for (int i = 0; i < kStepsMax && step_ != Step::kNone; ++i) {
    if (Continue(MYSQL_WAIT_TIMEOUT)) step_ = Step::kNone;
  }
  if (result_ != nullptr) mysql_free_result(std::exchange(result_, nullptr));
  mysql_close(std::exchange(connection_, nullptr));
  step_ = Step::kNone;
  awaited_ = 0;
}

int MariaSession::Socket() const {
  return connection_ == nullptr ? -1 : mysql_get_socket(connection_);
}

short MariaSession::EventsAwaited() const {
  int events = 0;
  if ((awaited_ & MYSQL_WAIT_READ) != 0) events |= POLLIN;
  if ((awaited_ & MYSQL_WAIT_WRITE) != 0) events |= POLLOUT;
  if ((awaited_ & MYSQL_WAIT_EXCEPT) != 0) events |= POLLPRI;
  return static_cast<short>(events);
}

}  // namespace headgate::database
