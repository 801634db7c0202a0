"""What must work when other things do not: real load balancers, agents, controller and CLI."""

import http.cookies
import os
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support/lab"))
# pylint: disable=wrong-import-position
import headgate
import process
import site_case
import stickiness

GATE = site_case.GATE

# One check, which a Prometheus without any target answers.
PLAN = """\
gate: shop
preflight: {{agents: [edge-1, edge-2], ready_for: 1s}}
checks:
  - name: load
    value: {{prometheus: {{query: vector(7), every: 1s}}}}
    bound: 80..95
    fresh: 3s
ramp: {{steps: [{steps}], bake: {bake}..10m, patience: 2s}}
then: {{watch: 1s}}
prometheus: {prometheus}
"""


class Incident(site_case.SiteTest):
    def start(self, steps, bake):
        self.site.start_prometheus()
        plan = os.path.join(self.site.folder, "plan.yaml")
        with open(plan, "w", encoding="utf-8") as file:
            file.write(PLAN.format(steps=steps, bake=bake, prometheus=self.site.prometheus.url))
        result = self.site.cli("start", plan, "--when-ready")
        self.assertEqual(result.code, 0, result)

    # -- closing -----------------------------------------------------------------------------------
    def test_close_names_the_agent_that_does_not_confirm_and_reaches_the_others(self):
        self.create("100%")
        healthy, hanging = self.site.balancers
        self.site.agents[1].child.pause()
        began = time.monotonic()
        result = self.site.cli("close", GATE)
        took = time.monotonic() - began
        self.assertEqual(result.code, 11, result)
        self.assertIn("edge-2", result.out + result.error)
        self.assertNotIn("edge-1", result.out + result.error)
        self.assertLess(took, 10, "it names whom it waits for, and does not hang")
        self.await_width(0, [healthy])
        self.site.agents[1].child.resume()
        self.await_width(0, [hanging], timeout_s=30)

    def test_close_works_while_the_source_of_evidence_hangs(self):
        self.create("0%")
        self.start("10%, 100%", "10m")
        self.await_width(100_000, timeout_s=30)
        self.site.prometheus.pause()
        result = self.site.cli("close", GATE)
        self.assertEqual(result.code, 0, result)
        self.await_width(0)

    def test_without_a_controller_close_says_what_to_type_and_that_works_on_the_box(self):
        self.create("100%")
        self.site.controller.kill()
        result = self.site.cli("close", GATE)
        self.assertEqual(result.code, 7, result)
        self.assertIn("headgate-agent lower", result.out + result.error)
        for agent in self.site.agents:
            lowered = agent.call("lower", "0%")
            self.assertEqual(lowered.code, 0, lowered)
        self.await_width(0)
        # The operator's word on the box stands until it is released there.
        self.site.controller.start()
        process.wait_for(lambda: all(agent["connected"] for agent in self.gate()["agents"])
                         and len(self.gate()["agents"]) == 2, 30, "the agents are back")
        self.await_width(0)

    # -- keeping what was decided ------------------------------------------------------------------
    def test_a_load_balancer_that_restarts_comes_back_with_its_share(self):
        self.create("50%")
        self.await_width(500_000)
        for balancer in self.site.balancers:
            balancer.stop()
            balancer.start()
            self.assertEqual(balancer.width(), stickiness.width(500_000), balancer.name)

    def test_the_share_stays_while_the_agent_is_dead_and_a_lowering_is_made_up_for(self):
        self.create("50%")
        self.await_width(500_000)
        agent, balancer = self.site.agents[0], self.site.balancers[0]
        agent.kill()
        self.assertEqual(self.site.cli("close", GATE).code, 11)
        self.assertEqual(balancer.width(), stickiness.width(500_000))
        agent.start()
        self.await_width(0, timeout_s=30)

    # -- the gate's cookie ---------------------------------------------------------------------------
    def ask(self, url, headers):
        """Status and headers of the answer."""
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers),
                                        timeout=5) as answer:
                return answer.status, answer.headers
        except urllib.error.HTTPError as error:
            return error.code, error.headers

    def cookie_given(self, balancer, cookie=None):
        """What a person gets who comes without a cookie, or with one, and is refused."""
        headers = {"Sec-Fetch-Mode": "navigate"}
        if cookie:
            headers["Cookie"] = f"headgate_uid={cookie}"
        status, answered = self.ask(balancer.url + "/", headers)
        self.assertEqual(status, 503)
        given = http.cookies.SimpleCookie(answered.get("Set-Cookie", ""))
        return given["headgate_uid"].value if given else None

    def is_admitted(self, balancer, cookie):
        """By the load balancer's own rule, on the path that it answers itself."""
        return self.ask(balancer.probe_url, {"Cookie": f"headgate_uid={cookie}"})[0] == 200

    def test_a_new_key_for_cookies_takes_nobodys_place_at_any_load_balancer(self):
        self.create("50%")
        edges = self.site.balancers
        self.await_width(500_000)
        key = int(self.gate()["cookie_key"])
        process.wait_for(
            lambda: all(self.cookie_given(edge).startswith(f"{key}.") for edge in edges), 10,
            "every load balancer signs its cookies")
        cookies = [self.cookie_given(edges[i % 2]) for i in range(40)]
        places = {cookie: self.is_admitted(edges[0], cookie) for cookie in cookies}
        self.assertEqual(set(places.values()), {True, False})
        result = self.site.cli("gates", "rotate-key", GATE)
        self.assertEqual(result.code, 0, result)

        def is_rotated():
            for cookie, is_in in places.items():
                for edge in edges:
                    self.assertEqual(self.is_admitted(edge, cookie), is_in)
            return all(not self.cookie_given(edge).startswith(f"{key}.") for edge in edges)

        process.wait_for(is_rotated, 20, "new cookies are signed by the new key")
        for cookie, is_in in places.items():
            made_up = cookie[:-1] + ("0" if cookie[-1] != "0" else "1")
            for edge in edges:
                self.assertFalse(self.is_admitted(edge, made_up))
                self.assertIsNotNone(self.cookie_given(edge, made_up))
                if not is_in:
                    self.assertIsNone(self.cookie_given(edge, cookie))

    def test_a_silent_source_holds_and_takes_nobody_out(self):
        self.create("0%")
        self.start("10%, 100%", "8s")
        self.await_width(100_000, timeout_s=30)
        self.site.prometheus.pause()
        process.wait_for(lambda: self.gate()["restoration"]["phase"] == "PHASE_HOLDING", 30,
                         "the restoration holds")
        self.await_width(100_000)
        self.site.prometheus.resume()
        self.await_width(1_000_000, timeout_s=60)

    def test_a_controller_that_is_killed_raises_nothing_and_the_ramp_goes_on(self):
        self.create("0%")
        self.start("10%, 50%, 100%", "3s")
        self.await_width(100_000, timeout_s=30)
        self.site.controller.kill()
        before = self.site.watcher.widths()
        looks = self.site.watcher.looks()
        process.wait_for(lambda: all(self.site.watcher.looks()[name] > count + 40
                                     for name, count in looks.items()), 20, "time has passed")
        self.assertEqual(self.site.watcher.widths(), before)
        self.site.controller.start()
        self.await_width(1_000_000, timeout_s=60)

    # -- who may -----------------------------------------------------------------------------------
    def test_an_agents_certificate_calls_no_operators_verb(self):
        self.create("50%")
        certificate, key = self.site.certificates.issue("agent", "edge-9")
        env = self.site.cli.env | {"HEADGATE_CERT": certificate, "HEADGATE_KEY": key}
        for words in (("close", GATE), ("status", GATE)):
            result = headgate.run(self.site.program("headgate"), *words, env=env)
            self.assertEqual(result.code, 6, result)
        self.await_width(500_000)

    def test_a_viewer_looks_and_changes_nothing(self):
        self.create("50%")
        viewer = headgate.Cli(self.site.program("headgate"), self.site.certificates,
                              self.site.controller, role="viewer", name="eve")
        self.assertEqual(viewer("status", GATE).code, 0)
        self.assertEqual(viewer("close", GATE).code, 6)
        self.await_width(500_000)

    def test_root_on_the_controllers_host_closes_without_a_certificate(self):
        self.create("50%")
        words = [self.site.program("headgate"), "--socket", self.site.controller.socket, "close",
                 GATE]
        done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.await_width(0)


class Parts(site_case.SiteTest):
    def test_one_load_balancer_comes_back_before_the_other_and_both_are_closed_at_once(self):
        self.create("50%")
        first, second = self.site.balancers
        split = self.site.cli("gates", "split", f"{GATE}@one", "--label", f"place={first.name}",
                              "--wait-for", "observed")
        self.assertEqual(split.code, 0, split)
        self.assertNotIn("nobody's", split.error)
        mistyped = self.site.cli("gates", "split", f"{GATE}@two", "--label", "place=nowhere")
        self.assertEqual(mistyped.code, 0, mistyped)
        self.assertIn(f"no load balancer has these labels: {GATE}@two is nobody's", mistyped.error)
        # Of nobody's, whatever its share.
        self.site.cli("retreat", f"{GATE}@two", "--to", "20%")
        self.assertEqual(self.site.cli("gates", "remove", f"{GATE}@two").code, 0)
        self.assertEqual(self.site.cli("retreat", GATE, "--to", "10%").code, 0)
        self.await_width(100_000, [second])
        self.await_width(500_000, [first])
        self.assertEqual(self.site.cli("retreat", f"{GATE}@one", "--to", "30%").code, 0)
        self.await_width(300_000, [first])
        self.await_width(100_000, [second])
        self.site.controller.kill()
        self.site.controller.start()
        closed = self.site.cli("close", GATE)
        self.assertIn(closed.code, (0, 11), closed)
        self.await_width(0)
        taken_back = self.site.cli("gates", "remove", f"{GATE}@one")
        self.assertEqual(taken_back.code, 0, taken_back)
        self.assertEqual(len(self.gate()["agents"]), 2)


if __name__ == "__main__":
    process.exit_on_signals()
    unittest.main(verbosity=2)
