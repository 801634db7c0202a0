"""What happens to users when a database turns out to be wrong while they come in: real PostgreSQL
servers, HAProxy with its agent, controller and CLI."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support/lab"))
# pylint: disable=wrong-import-position
import haproxy
import lab
import process
import site_case
import views

GATE = site_case.GATE

# One step, and time at it: only the database changes anything.
PLAN = """\
gate: shop
preflight: {{agents: [edge-1], databases: [orders], ready_for: 1s}}
checks:
  - {{name: orders, database: orders}}
ramp: {{steps: [40%, 100%], bake: 10m..1h}}
databases:
  orders:
    engine: postgres
    primary: {primary}
    replicas: [{{name: db3, dsn: '{replica}', kind: logical}}]
    data: {{every: 10s, cpu_share: 100%}}
    lag: 5s..30s
    expect: schema.baseline
"""


class DatabaseGate(site_case.SiteTest):
    def setUp(self):
        self.site = lab.Lab(lab.default_programs())
        self.addCleanup(self.site.stop)
        self.site.start_databases()
        self.site.start_gate(edges={"edge-1": haproxy.HaProxy})
        self.create("0%")

        servers = self.site.databases
        self.plan = os.path.join(self.site.folder, "plan.yaml")
        with open(self.plan, "w", encoding="utf-8") as file:
            file.write(PLAN.format(primary=servers.primary.dsn(), replica=servers.replica.dsn()))

    def write_baseline(self):
        written = self.site.cli("dbcheck", self.plan, "--write-baseline",
                                os.path.join(self.site.folder, "schema.baseline"))
        self.assertEqual(written.code, 0, written)

    def admit(self):
        started = self.site.cli("start", self.plan, "--when-ready")
        self.assertEqual(started.code, 0, started)
        self.await_width(400_000, timeout_s=40)

    def test_a_row_changed_on_a_replica_takes_everybody_out_and_is_named_wherever_one_looks(self):
        self.write_baseline()
        self.admit()
        watched = os.path.join(self.site.folder, "watch.log")
        watch = process.Child([self.site.program("headgate"), "watch", GATE], log=watched,
                              env=self.site.cli.env)
        self.addCleanup(watch.stop)
        self.site.databases.replica.sql(
            "UPDATE orders SET quantity = quantity + 1 WHERE id = 4711")
        self.await_width(0, timeout_s=30)
        named = ("replica db3: table public.orders: row (id = 4711) differs from the primary's in "
                 "quantity")
        self.assertIn(named, self.site.cli("explain", GATE).out)
        self.assertIn(named, self.site.cli("timeline", GATE).out)

        def has_told():
            with open(watched, encoding="utf-8") as file:
                return named in file.read()
        watch.wait_until(has_told, 10, "watch names the row")
        drained = views.entries(self.site.cli.json("timeline", GATE))[-1]
        self.assertEqual(drained.share_ppm, 0, drained)
        self.assertIn("orders is FAILED", drained.text)

    def test_nobody_comes_in_while_the_primary_is_not_what_the_plan_expects(self):
        self.write_baseline()
        # Everywhere, as a backup of the wrong day would have it: all servers agree.
        for server in (self.site.databases.primary, self.site.databases.replica):
            server.sql("ALTER TABLE products DROP COLUMN stock")
        refused = self.site.cli("start", self.plan)
        self.assertEqual(refused.code, 3, refused)
        self.assertIn("the primary: table public.products is not as schema.baseline has it: headgate "
                      "dbcheck with that file tells how", refused.error)
        told = self.site.cli("dbcheck", self.plan, "--schema-only")
        self.assertEqual(told.code, 3, told)
        self.assertIn("table public.products: column stock is missing here; in the baseline it is "
                      "integer default 0 not null", told.out)
        # It was meant: the baseline is written anew, and the plan as it is will do.
        self.write_baseline()
        self.admit()


if __name__ == "__main__":
    process.exit_on_signals()
    unittest.main(verbosity=2)
