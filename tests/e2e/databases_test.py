"""The controller watches databases while nobody restores anything: real servers, controller, CLI."""

import os
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support/lab"))
# pylint: disable=wrong-import-position
import headgate
import postgres
import process

FILE = """databases:
  orders:
    engine: postgres
    primary: {db1}
    replicas:
      - {{name: db2, dsn: {db2}, kind: physical}}
      - {{name: db3, dsn: {db3}, kind: logical}}
    data: {{every: 10s, cpu_share: 100%}}
look_every: 1s
fingerprint_every: 10s
"""


def program(name):
    return os.path.join(os.environ["HEADGATE_BIN"], name)


class Databases(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="headgate-watch-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        certificates = headgate.Certificates(program("headgate"), self.folder)
        self.controller = headgate.Controller(program("headgated"), certificates, self.folder)
        self.addCleanup(self.controller.stop)
        self.cli = headgate.Cli(program("headgate"), certificates, self.controller, role="viewer",
                                name="vera")

    def declare(self, text):
        file = os.path.join(self.folder, "databases.yaml")
        with open(file, "w", encoding="utf-8") as out:
            out.write(text)
        self.controller.watch_databases(file)
        return file

    def await_code(self, code):
        def has():
            result = self.cli("databases", "orders", "-o", "json")
            return result if result.code == code else None
        return process.wait_for(has, 60, f"headgate databases ends with {code}", every_s=0.2)

    def test_drift_is_known_exported_and_kept_over_a_restart(self):
        with postgres.ShopDatabases() as servers:
            self.declare(FILE.format(**{name: server.dsn()
                                        for name, server in servers.servers.items()}))
            self.controller.start()
            sound = self.await_code(0).document["databases"][0]
            self.assertEqual({check["name"] for check in sound["checks"]},
                             {"servers", "replication", "lag", "schema", "load", "data"})
            servers.replica.sql("ALTER TABLE orders ADD COLUMN gift text")
            drifted = self.await_code(3).document
            schema = next(check for check in drifted["databases"][0]["checks"]
                          if check["name"] == "schema")
            self.assertEqual(schema["verdict"], "FAILED")
            self.assertIn("column gift is text here", schema["why"])
            self.assertIn('headgate_database_verdict{check="schema",database="orders",'
                          'verdict="FAILED"} 1', self.controller.metrics())
            self.assertTrue(self.controller.has_logged("database_verdict"))
            self.assertIn("schema: HEALTHY -> FAILED", self.cli("databases").out)
            # A killed controller knows it again, and since when.
            self.controller.kill()
            self.controller.start()
            again = self.await_code(3).document["databases"][0]
            self.assertIn(schema["since"], [check["since"] for check in again["checks"]])
            self.assertEqual(self.cli("databases", "nowhere").code, 4)

    def test_a_row_that_differs_is_known_and_when_all_were_last_compared(self):
        def data_of(document):
            return next(check for check in document["databases"][0]["checks"]
                        if check["name"] == "data")

        with postgres.ShopDatabases() as servers:
            self.declare(FILE.format(**{name: server.dsn()
                                        for name, server in servers.servers.items()}))
            self.controller.start()
            sound = self.await_code(0).document["databases"][0]
            self.assertEqual(sound["data"]["tables"], 3, sound)
            self.assertIn("last_round", sound["data"])
            self.assertIn("(data all compared ", self.cli("databases").out)
            servers.replica.sql("UPDATE orders SET quantity = quantity + 1 WHERE id = 4711")
            differs = data_of(self.await_code(3).document)
            self.assertEqual(differs["verdict"], "FAILED")
            self.assertIn("table public.orders: row (id = 4711) differs from the primary's in "
                          "quantity", differs["why"])
            metrics = self.controller.metrics()
            self.assertIn('headgate_database_verdict{check="data",database="orders",'
                          'verdict="FAILED"} 1', metrics)
            self.assertNotIn('headgate_database_data_last_round_timestamp_seconds'
                             '{database="orders"} 0\n', metrics)
            self.controller.kill()
            self.controller.start()
            self.assertEqual(data_of(self.await_code(3).document)["since"], differs["since"])
            servers.replica.sql("UPDATE orders SET quantity = quantity - 1 WHERE id = 4711")
            self.await_code(0)

    def test_a_file_that_cannot_be_used_is_told_and_keeps_nobody_from_closing_a_gate(self):
        file = self.declare("databases: {orders: {engine: postgres, primary: host=db1, lagg: 1s}}\n")
        self.controller.start()
        result = self.cli("databases")
        self.assertEqual(result.code, 3, result)
        self.assertIn(f"{file}:1:59: unknown key 'lagg'", result.error)
        self.assertTrue(self.controller.has_logged("databases_unusable"))
        self.assertEqual(self.cli("gates").code, 0)

    def test_a_primary_that_is_not_as_the_file_expects_is_known(self):
        with postgres.ShopDatabases() as servers:
            primary = servers.primary
            baseline = os.path.join(self.folder, "schema.baseline")
            written = self.cli("dbcheck", "--primary", primary.dsn(), "--write-baseline", baseline)
            self.assertEqual(written.code, 0, written)
            text = (f"databases: {{orders: {{engine: postgres, primary: {primary.dsn()}, expect: "
                    "schema.baseline}}\nlook_every: 1s\nfingerprint_every: 10s\n")
            self.declare(text)
            self.controller.start()
            self.await_code(0)
            primary.sql("ALTER TABLE orders DROP COLUMN status")
            self.controller.kill()
            self.controller.start()
            schema = next(check for check in self.await_code(3).document["databases"][0]["checks"]
                          if check["name"] == "schema")
            self.assertEqual(schema["verdict"], "FAILED")
            self.assertIn("table public.orders is not as schema.baseline has it", schema["why"])
            # One that is not there is told, and keeps nobody from closing a gate.
            os.remove(baseline)
            self.controller.kill()
            self.controller.start()
            unusable = self.cli("databases")
            self.assertEqual(unusable.code, 3, unusable)
            self.assertIn("databases.orders.expect: ", unusable.error)
            self.assertIn("schema.baseline does not exist", unusable.error)

    def test_without_a_file_it_says_how_to_give_one(self):
        self.controller.start()
        result = self.cli("databases")
        self.assertEqual(result.code, 3, result)
        self.assertIn("--databases FILE", result.error)


if __name__ == "__main__":
    unittest.main()
