"""A test of the whole site: a real HAProxy and a real nginx with agents, a controller and the CLI. Its logs are kept
when it fails."""

import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../support/lab"))
# pylint: disable=wrong-import-position
import lab
import process
import stickiness

GATE = lab.GATE


class SiteTest(unittest.TestCase):
    site = None

    def run(self, result=None):
        result = result or self.defaultTestResult()
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if self.site is None:
            return
        if len(result.failures) + len(result.errors) > before:
            print(f"{self.id()}: logs are kept in {self.site.folder}", file=sys.stderr)
        else:
            self.site.remove()

    def setUp(self):
        self.site = lab.Lab(lab.default_programs())
        self.addCleanup(self.site.stop)
        self.site.start_gate()

    def create(self, share):
        result = self.site.cli("gates", "create", GATE, "--share", share, "--wait-for", "observed",
                               "--timeout", "20s")
        self.assertEqual(result.code, 0, result)

    def await_width(self, share_ppm, balancers=None, timeout_s=10):
        names = [balancer.name for balancer in balancers or self.site.balancers]
        wanted = stickiness.width(share_ppm)
        process.wait_for(
            lambda: {self.site.watcher.widths()[name] for name in names} == {wanted}, timeout_s,
            f"{', '.join(names)} admit {share_ppm / 10_000:g} %")

    def gate(self):
        return self.site.cli.json("status", GATE)
