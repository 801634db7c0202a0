#include "tests/controller/database/maria_lab.h"

#include <fmt/format.h>
#include <mysql.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "tests/controller/database/lab.h"

namespace headgate::testing {
namespace {

constexpr Duration kReadyMax{60'000};

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "MariaDB's lab: %s\n", why.c_str());
  std::exit(1);
}

using Connection = std::unique_ptr<MYSQL, decltype(&mysql_close)>;

Connection Connect(const std::string& socket) {
  Connection connection(mysql_init(nullptr), &mysql_close);
  mysql_options(connection.get(), MYSQL_SET_CHARSET_NAME, "utf8mb4");
  if (mysql_real_connect(connection.get(), nullptr, "root", nullptr, nullptr, 0, socket.c_str(),
                         CLIENT_MULTI_STATEMENTS) == nullptr) {
    return {nullptr, &mysql_close};
  }
  return connection;
}

std::vector<std::string> AsRoot() {
  return geteuid() == 0 ? std::vector<std::string>{"--user=root"} : std::vector<std::string>();
}

constexpr const char* kAccounts = R"(
CREATE USER repl@'%' IDENTIFIED BY 'repl'; GRANT REPLICATION SLAVE ON *.* TO repl@'%';
CREATE USER headgate@'%' IDENTIFIED BY 'hunter2';
GRANT SLAVE MONITOR, BINLOG MONITOR, PROCESS, SELECT, TRIGGER, SHOW VIEW ON *.* TO headgate@'%';
CREATE USER guest@'%'; CREATE USER clerk@'%')";

constexpr const char* kShop = R"(
CREATE DATABASE shop CHARACTER SET utf8mb4;
CREATE TABLE shop.customers (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
  first_name VARCHAR(40) NOT NULL, middle_name VARCHAR(40), last_name VARCHAR(40) NOT NULL);
CREATE TABLE shop.orders (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
  customer_id INT UNSIGNED NOT NULL, quantity INT NOT NULL CHECK (quantity > 0),
  total DECIMAL(10,2) NOT NULL DEFAULT 0, status ENUM('new', 'paid', 'shipped') NOT NULL,
  placed_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, twice INT AS (quantity * 2) STORED,
  KEY by_customer (customer_id), UNIQUE KEY one_at_a_time (customer_id, placed_at, id),
  CONSTRAINT of_customer FOREIGN KEY (customer_id) REFERENCES shop.customers (id));
CREATE TABLE shop.visits (at DATETIME(6) NOT NULL, page VARCHAR(200));
CREATE VIEW shop.open_orders AS SELECT id, total FROM shop.orders WHERE status <> 'shipped';
CREATE TRIGGER shop.trimmed BEFORE INSERT ON shop.customers
  FOR EACH ROW SET NEW.first_name = TRIM(NEW.first_name);
INSERT INTO shop.customers (first_name, middle_name, last_name)
  VALUES ('Ada', 'M', 'Lovelace'), ('Grace', 'B', 'Hopper');
INSERT INTO shop.orders (customer_id, quantity, total, status) VALUES (1, 1, 10, 'new');
GRANT SELECT ON shop.orders TO clerk@'%')";

}  // namespace

MariaServer::MariaServer(Settings settings)
    : settings_(std::move(settings)), port_(test::FreePort()) {
  // Of its own: a server that starts removes what others have in a folder that they share.
  std::filesystem::create_directories(settings_.folder + "/tmp");
  std::vector<std::string> install = {"mariadb-install-db",
                                      "--no-defaults",
                                      "--auth-root-authentication-method=normal",
                                      "--skip-test-db",
                                      fmt::format("--datadir={}/data", settings_.folder),
                                      fmt::format("--tmpdir={}/tmp", settings_.folder)};
  for (std::string& word : AsRoot()) install.push_back(std::move(word));
  const auto installed = test::RunToEnd(install, std::chrono::seconds(60));
  if (installed.exit_code != 0) Die(installed.output);
  Start();
}

void MariaServer::Start() {
  const std::string& folder = settings_.folder;
  std::vector<std::string> argv = {
      "mariadbd", "--no-defaults", fmt::format("--datadir={}/data", folder),
      fmt::format("--tmpdir={}/tmp", folder), fmt::format("--socket={}", socket()),
      fmt::format("--port={}", port_), "--bind-address=127.0.0.1",
      fmt::format("--server-id={}", settings_.id), fmt::format("--log-bin={}/data/binlog", folder),
      "--log-slave-updates", "--binlog-format=ROW",
      fmt::format("--relay-log={}/data/relay", folder), fmt::format("--pid-file={}/pid", folder),
      fmt::format("--log-error={}/log", folder),
      // Fast and small: nothing here outlives the test.
      "--sync-binlog=0", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=16M",
      "--innodb-log-file-size=8M", "--innodb-fast-shutdown=2", "--skip-name-resolve",
      "--slave-net-timeout=60"};
  for (std::string& word : AsRoot()) argv.push_back(std::move(word));
  argv.insert(argv.end(), settings_.more.begin(), settings_.more.end());
  process_ = std::make_unique<test::Process>(argv);
  const auto is_ready = [&] { return Connect(socket()) != nullptr || !process_->IsRunning(); };
  if (!WaitUntil(is_ready, kReadyMax) || !process_->IsRunning()) {
    Die(process_->Output() + test::ReadFile(folder + "/log"));
  }
}

void MariaServer::Kill() {
  process_->Signal(SIGKILL);
  process_.reset();
}

std::string MariaServer::Sql(const std::string& sql) const {
  const Connection connection = Connect(socket());
  const auto fail = [&] {
    Die(fmt::format("{}: {}", sql,
                    connection == nullptr ? "no connection" : mysql_error(connection.get())));
  };
  if (connection == nullptr || mysql_real_query(connection.get(), sql.data(), sql.size()) != 0) {
    fail();
  }
  std::string first;
  int next = 0;
  for (; next == 0; next = mysql_next_result(connection.get())) {
    const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> result(
        mysql_store_result(connection.get()), &mysql_free_result);
    if (result == nullptr) continue;
    const MYSQL_ROW row = mysql_fetch_row(result.get());
    if (row != nullptr && row[0] != nullptr && first.empty()) first = row[0];
  }
  if (next > 0) fail();
  return first;
}

MariaLab::MariaLab() {
  db1_ = Another(1);
  db1_->Sql(kAccounts);
  db1_->Sql(kShop);
  db2_ = Another(2, {"--read-only"});
  FeedDb2From(db1_->port());
  if (!Catches(kReadyMax)) Die("db2 does not catch up: " + test::ReadFile(folder_ / "2/log"));
  for (const char* user : {"headgate", "guest", "clerk"}) {
    test::WriteFile(folder_ / (std::string(user) + ".cnf"),
                    fmt::format("[client]\nuser = {}\n{}", user,
                                user == std::string("headgate") ? "password = 'hunter2'\n" : ""));
  }
}

std::unique_ptr<MariaServer> MariaLab::Another(std::uint32_t id,
                                               const std::vector<std::string>& more) {
  return std::make_unique<MariaServer>(
      MariaServer::Settings{.folder = folder_ / fmt::format("{}", id), .id = id, .more = more});
}

std::string MariaLab::Dsn(std::uint16_t port, const std::string& user) const {
  return fmt::format("host=127.0.0.1 port={} option_file={}", port, folder_ / (user + ".cnf"));
}

void MariaLab::FeedDb2From(std::uint16_t port) {
  db2_->Sql(
      fmt::format("STOP SLAVE; CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {}, "
                  "MASTER_USER = 'repl', MASTER_PASSWORD = 'repl', MASTER_CONNECT_RETRY = 1, "
                  "MASTER_USE_GTID = slave_pos; START SLAVE",
                  port));
}

bool MariaLab::Catches(std::chrono::milliseconds patience) {
  const std::string position = db1_->Sql("SELECT @@gtid_binlog_pos");
  return WaitUntil([&] { return db2_->Sql("SELECT @@gtid_slave_pos") == position; }, patience);
}

}  // namespace headgate::testing
