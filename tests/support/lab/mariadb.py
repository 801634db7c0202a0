"""MariaDB servers of the test lab: a server on a free port, with its own data folder. Standard
library only; SQL goes through MariaDB's own client program over the server's socket.
"""

import getpass
import os
import shutil

import process

ACCOUNT = "headgate"
PASSWORD = "hunter2"
START_S = 60

SETTINGS = {"bind-address": "127.0.0.1", "log-slave-updates": None, "binlog-format": "ROW",
            "skip-name-resolve": None, "sync-binlog": 0, "innodb-flush-log-at-trx-commit": 0,
            "innodb-fast-shutdown": 2, "slave-net-timeout": 60}

# The rights of docs/DATABASE.md.
ROLES = f"""
CREATE USER repl@'%' IDENTIFIED BY 'repl'; GRANT REPLICATION SLAVE ON *.* TO repl@'%';
CREATE USER {ACCOUNT}@'%' IDENTIFIED BY '{PASSWORD}';
GRANT SLAVE MONITOR, BINLOG MONITOR, PROCESS, SELECT, TRIGGER, SHOW VIEW ON *.* TO {ACCOUNT}@'%';
"""


def program(name):
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if not found:
        raise process.LabError(f"{name} is not installed: apt-get install mariadb-server")
    return found


class Server:
    """One MariaDB server. `number` is its server_id."""

    def __init__(self, number, folder, settings=None):
        self.number = number
        self.name = f"db{number}"
        self.data = os.path.join(folder, self.name)
        self.socket = os.path.join(folder, f"{self.name}.sock")
        self.log = os.path.join(folder, f"{self.name}.log")
        self.slow_log = os.path.join(folder, f"{self.name}.slow")
        self.options = os.path.join(folder, f"{self.name}.cnf")
        self.port = None
        self.child = None
        self._settings = SETTINGS | (settings or {})

    def _words(self, name):
        # Temporary files in a folder of its own: a server that starts removes what others have in one that they share.
        return [program(name), "--no-defaults", f"--datadir={self.data}", f"--tmpdir={self.folder_of_temporary_files()}",
                f"--user={getpass.getuser()}"]

    def folder_of_temporary_files(self):
        os.makedirs(self.data + ".tmp", exist_ok=True)
        return self.data + ".tmp"

    # -- life --------------------------------------------------------------------------------------
    def start(self):
        if not os.path.isdir(self.data):
            process.run(self._words("mariadb-install-db") +
                        ["--auth-root-authentication-method=normal", "--skip-test-db"],
                        timeout_s=START_S)
        # Late: making the folder takes seconds, in which somebody else may take a port that is free.
        self.port = self.port or process.free_port()
        settings = self._settings | {"port": self.port, "socket": self.socket, "server-id": self.number,
                                     "log-bin": f"{self.data}/binlog", "relay-log": f"{self.data}/relay",
                                     "slow-query-log-file": self.slow_log, "log-error": self.log,
                                     "pid-file": f"{self.data}/pid"}
        self.child = process.Child(
            self._words("mariadbd") + [f"--{key}" if value is None else f"--{key}={value}"
                                       for key, value in settings.items()], log=self.log)
        self.child.wait_until(lambda: self.value("SELECT 1") == "1", START_S, f"{self.name} is ready")

    def stop(self):
        if self.child is not None:
            self.child.stop()

    # -- use ---------------------------------------------------------------------------------------
    def sql(self, text, timeout_s=60):
        """As root; the answer as the client writes it, without names."""
        return process.run([program("mariadb"), "--no-defaults", f"--socket={self.socket}", "--user=root",
                            "--batch", "--skip-column-names", "--execute", text], timeout_s=timeout_s)

    def value(self, text):
        return self.sql(text).strip()

    def follow(self, primary):
        self.sql(f"STOP SLAVE; CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {primary.port}, "
                 "MASTER_USER = 'repl', MASTER_PASSWORD = 'repl', MASTER_USE_GTID = slave_pos; START SLAVE;")

    def catches(self, primary, timeout_s=60):
        position = primary.value("SELECT @@gtid_binlog_pos")
        process.wait_for(lambda: self.value("SELECT @@gtid_slave_pos") == position, timeout_s,
                         f"{self.name} has caught up")

    def dsn(self):
        """As Headgate reads it; the password stands in the option file."""
        with open(os.open(self.options, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w",
                  encoding="ascii") as file:
            file.write(f"[client]\nuser = {ACCOUNT}\npassword = '{PASSWORD}'\n")
        return f"host=127.0.0.1 port={self.port} option_file={self.options}"
