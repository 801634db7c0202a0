"""MariaDB's half: a primary and a replica, and pt-table-checksum on the same rows.

The peer writes its sums to the primary and lets the replica compute them by replication; both
servers are the bench's own and are thrown away.
"""

import json
import os
import re
import shutil
import statistics

import cost
import mariadb
import process

SETTINGS = {"innodb-buffer-pool-size": "1G", "innodb-log-file-size": "512M", "slow-query-log": 1,
            "long-query-time": 0.05, "log-output": "FILE"}
TABLE = """
CREATE DATABASE shop CHARACTER SET utf8mb4;
CREATE TABLE shop.orders (
  id BIGINT NOT NULL PRIMARY KEY,
  customer_id BIGINT NOT NULL,
  quantity INT NOT NULL,
  total DECIMAL(10,2) NOT NULL,
  status VARCHAR(20) NOT NULL,
  note VARCHAR(80),
  placed_at TIMESTAMP NOT NULL DEFAULT '2024-01-01'
);
"""
FILL = """
SET sql_log_bin = 0, time_zone = '+00:00';
INSERT INTO shop.orders SELECT seq, seq % 200000, 1 + seq % 3, 19.99 * (1 + seq % 7),
  ELT(1 + seq % 4, 'new', 'paid', 'shipped', 'returned'),
  IF(seq % 5 > 0, CONCAT('note of order ', seq), NULL), '2024-01-02' + INTERVAL seq SECOND
FROM shop.seq_1_to_{rows};
ANALYZE TABLE shop.orders;
"""
SWAP = """
SET sql_log_bin = 0;
CREATE TEMPORARY TABLE shop.kept AS SELECT * FROM shop.orders WHERE id IN (1001, 1002);
UPDATE shop.orders AS x JOIN shop.kept AS y ON y.id = 2003 - x.id SET x.note = y.note
WHERE x.id IN (1001, 1002);
"""
# pt-table-checksum: bit 4 (16) says that a chunk differs; nothing else is expected.
DIFFERS = 16


class Bench:
    def __init__(self, options, folder):
        self.options = options
        self.headgate = os.path.join(options.bin, "headgate")
        self.has_peer = shutil.which("pt-table-checksum") is not None
        if not self.has_peer:
            print("pt-table-checksum is not installed (Debian: percona-toolkit): no ratio", flush=True)
        folder = os.path.join(folder, "mariadb")
        os.makedirs(folder)
        self.primary = mariadb.Server(1, folder, SETTINGS)
        self.replica = mariadb.Server(2, folder, SETTINGS | {"read-only": None})

    def start(self):
        for server in (self.primary, self.replica):
            server.start()
            print(f"filling MariaDB's {server.name} with {self.options.rows} rows", flush=True)
        self.primary.sql(mariadb.ROLES + TABLE)
        self.replica.follow(self.primary)
        self.replica.catches(self.primary)
        for server in (self.primary, self.replica):
            server.sql(FILL.format(rows=self.options.rows), timeout_s=1800)
        if self.has_peer:
            self.primary.sql("CREATE DATABASE percona; CREATE TABLE percona.dsns (id INT AUTO_INCREMENT "
                             "PRIMARY KEY, parent_id INT, dsn VARCHAR(255)); INSERT INTO percona.dsns (dsn) "
                             f"VALUES ('h=127.0.0.1,P={self.replica.port},u=root');")
            self.replica.catches(self.primary)

    def stop(self):
        for server in (self.replica, self.primary):
            server.stop()

    def words(self, *more):
        return ["dbcheck", "--engine", "mariadb", "--primary", self.primary.dsn(), "--replica",
                "db2=" + self.replica.dsn(), "--tables", "shop.orders", *more]

    def ours(self, *more, expected=(0,)):
        return cost.measured([self.primary, self.replica],
                             [self.headgate, *self.words("--cpu-share", "100%", *more)], expected,
                             cost.ticks_cpu_s)

    def peer(self):
        """As Debian ships it, told only where the replica is and what to compare."""
        return cost.measured([self.primary, self.replica],
                             ["pt-table-checksum", f"h=127.0.0.1,P={self.primary.port},u=root",
                              "--databases", "shop", "--tables", "orders", "--quiet",
                              "--no-check-binlog-format", "--recursion-method",
                              f"dsn=h=127.0.0.1,P={self.primary.port},u=root,D=percona,t=dsns"],
                             (0, DIFFERS), cost.ticks_cpu_s)

    def position(self):
        return [server.value("SELECT @@gtid_binlog_pos") for server in (self.primary, self.replica)]

    def written(self):
        """Rows that anybody has written, on both servers."""
        names = "'HANDLER_WRITE', 'HANDLER_UPDATE', 'HANDLER_DELETE'"
        return sum(int(server.value("SELECT SUM(VARIABLE_VALUE) FROM information_schema.GLOBAL_STATUS "
                                    f"WHERE VARIABLE_NAME IN ({names})"))
                   for server in (self.primary, self.replica))

    def slow_statements(self):
        """Of headgate, on the primary, above 50 ms, by its log; and the slowest in ms."""
        if not os.path.exists(self.primary.slow_log):
            return 0, None
        with open(self.primary.slow_log, encoding="utf-8", errors="replace") as file:
            took = [float(found.group(1)) * 1000 for found in
                    re.finditer(r"^# User@Host: headgate\[.*?^# Query_time: ([0-9.]+)", file.read(),
                                re.M | re.S)]
        return len(took), max(took, default=None)

    def report(self):
        self.ours()  # warms the caches, and is not counted
        before, position = self.written(), self.position()
        ours, peers = [self.ours()], []
        writes = self.written() - before
        if self.position() != position:
            raise process.LabError("something was written beside the comparison")
        for number in range(self.options.rounds):
            if number > 0:
                ours.append(self.ours())
            told = f"round {number + 1}: headgate {ours[-1]['cpu']:.2f} s CPU, {ours[-1]['wall']:.2f} s"
            if self.has_peer:
                peers.append(self.peer())
                told += f"; pt-table-checksum {peers[-1]['cpu']:.2f} s CPU, {peers[-1]['wall']:.2f} s"
                if peers[-1]["code"] != 0:
                    raise process.LabError("pt-table-checksum sees differences where there are none")
            print(told, flush=True)
        slow, slowest = self.slow_statements()
        self.replica.sql(SWAP)
        found = json.loads(self.ours("-o", "json", expected=(3,))["out"])["databases"][0]["differences"]
        swap_peer = self.peer()["code"] == DIFFERS if self.has_peer else None
        self.replica.sql(SWAP)
        cpu = statistics.median(run["cpu"] for run in ours)
        peer_cpu = statistics.median(run["cpu"] for run in peers) if peers else None
        # Of each round by itself: what else the machine does changes from one to the next.
        ratios = [run["cpu"] / other["cpu"] for run, other in zip(ours, peers)]
        return {
            "cpu_ratio_vs_pt_table_checksum": round(statistics.median(ratios), 3) if peers else None,
            "cpu_s": round(cpu, 2), "peer_cpu_s": round(peer_cpu, 2) if peers else None,
            "client_cpu_s": round(statistics.median(run["client"] for run in ours), 3),
            "wall_s": round(statistics.median(run["wall"] for run in ours), 2),
            "peer_wall_s": round(statistics.median(run["wall"] for run in peers), 2) if peers else None,
            "rows": self.options.rows, "swap_detected_ours": len(found) == 2,
            "swap_detected_peer": swap_peer, "statements_over_50_ms": slow,
            "slowest_over_50_ms": round(slowest, 1) if slowest is not None else None,
            "writes_to_servers": writes, "rss_mb": cost.rss_mb(self.headgate, self.words())}
