"""What goes wrong at the controller itself: certificates, journal, descriptors, and a load balancer
that poses as another. Real load balancers, agents, controller and CLI."""

import contextlib
import os
import resource
import shutil
import socket
import ssl
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support/lab"))
# pylint: disable=wrong-import-position
import headgate
import process
import site_case

GATE = site_case.GATE


class Trouble(site_case.SiteTest):
    def root(self, *words):
        """The CLI as root on the controller's host."""
        return headgate.run(self.site.program("headgate"), "--socket",
                            self.site.controller.socket, *words)

    def presented(self):
        """The certificate that the controller shows to whoever connects."""
        return ssl.get_server_certificate(("127.0.0.1", self.site.controller.port), timeout=5)

    def await_agents(self, timeout_s=40):
        def are_back():
            agents = self.gate()["agents"]
            return len(agents) == 2 and all(agent.get("connected") for agent in agents)
        process.wait_for(are_back, timeout_s, "both agents are connected")

    def can_create(self, name):
        return self.site.cli("gates", "create", name, "--share", "0%")

    # -- certificates ------------------------------------------------------------------------------
    def test_two_load_balancers_with_one_certificate_are_never_confirmed(self):
        self.create("100%")
        impostor = self.site.agents[1]
        impostor.stop()
        impostor.borrow_certificate("edge-1")
        impostor.start()
        process.wait_for(lambda: "take turns" in self.site.cli("status", GATE).out, 60,
                         "the status tells of two load balancers")
        result = self.site.cli("close", GATE)
        self.assertEqual(result.code, 11, result)
        self.assertIn("take turns", result.out + result.error)
        # Each is told in its turn all the same.
        self.await_width(0, timeout_s=60)

    def test_a_renewed_certificate_is_taken_and_a_broken_one_is_not(self):
        self.create("50%")
        controller = self.site.controller
        before = self.presented()
        with open(controller.key, "w", encoding="ascii") as file:
            file.write("half of a key")
        process.wait_for(lambda: controller.has_logged("certificate_refused"), 20,
                         "the broken key is refused")
        self.assertEqual(self.presented(), before)
        self.assertEqual(self.site.cli("status", GATE).code, 0)
        self.site.certificates.issue("controller", controller.name, "127.0.0.1", again=True)
        process.wait_for(lambda: self.presented() != before, 20, "the renewed one is presented")
        self.await_agents()
        self.await_width(500_000)
        self.assertEqual(self.site.cli("close", GATE).code, 0)

    def test_a_certificate_that_is_dead_at_the_start_leaves_the_way_in_of_root_and_heals(self):
        self.create("50%")
        controller = self.site.controller
        controller.stop()
        shutil.copy(controller.certificate, controller.certificate + ".kept")
        with open(controller.certificate, "w", encoding="ascii") as file:
            file.write("nothing")
        controller.start_only()
        process.wait_for(lambda: self.root("status", GATE).code == 0, 15, "root gets in")
        self.assertEqual(self.root("close", GATE).code, 11)
        self.await_width(500_000)
        os.replace(controller.certificate + ".kept", controller.certificate)
        process.wait_for(controller.is_ready, 30, "the controller is ready")
        self.await_width(0, timeout_s=30)

    def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(self):
        """Nobody writes into it: who opened it would wait for ever, deaf to SIGTERM."""
        controller = self.site.controller
        os.rename(controller.key, controller.key + ".good")
        os.mkfifo(controller.key)
        process.wait_for(lambda: "headgate_certificate_refused 1" in controller.metrics(), 20,
                         "the pipe is refused")
        process.wait_for(lambda: controller.has_logged("not a regular file"), 10, "the log says why")
        self.assertTrue(controller.is_ready())
        os.rename(controller.key + ".good", controller.key)
        process.wait_for(lambda: "headgate_certificate_refused 0" in controller.metrics(), 20,
                         "the key is back")
        pipe = os.path.join(os.path.dirname(controller.journal), "databases.yaml")
        os.mkfifo(pipe)
        controller.watch_databases(pipe)
        controller.stop()
        controller.start()
        process.wait_for(lambda: controller.has_logged("databases.yaml is no regular file"), 10,
                         "the log says that no database is watched")

    # -- the journal -------------------------------------------------------------------------------
    def test_lower_only_ends_when_the_journal_can_be_used(self):
        self.create("50%")
        controller = self.site.controller
        controller.stop()
        os.rename(controller.journal, controller.journal + ".kept")
        os.mkdir(controller.journal)
        controller.start_only()
        process.wait_for(lambda: controller.has_logged("lower_only"), 15, "it says what it lacks")
        process.wait_for(lambda: self.root("status", GATE).code == 0, 30, "an agent told of it")
        refused = self.can_create("blog")
        self.assertNotEqual(refused.code, 0, refused)
        self.assertIn("can only lower", refused.out + refused.error)
        os.rmdir(controller.journal)
        os.rename(controller.journal + ".kept", controller.journal)
        process.wait_for(controller.is_ready, 40, "it started over")
        created = self.can_create("blog")
        self.assertEqual(created.code, 0, created)
        self.await_width(500_000)

    def test_a_journal_that_is_removed_under_the_controller_raises_nothing_any_more(self):
        self.create("50%")
        os.remove(self.site.controller.journal)
        self.can_create("blog")
        refused = self.can_create("blog")
        self.assertNotEqual(refused.code, 0, refused)
        self.assertIn("was removed", refused.out + refused.error)
        self.assertEqual(self.site.cli("close", GATE).code, 0)
        self.await_width(0)

    # -- listeners ---------------------------------------------------------------------------------
    def test_a_listener_that_cannot_be_opened_takes_no_other_away(self):
        self.create("50%")
        controller = self.site.controller
        folder = os.path.dirname(controller.socket)
        controller.stop()
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", controller.port))
            taken.listen()
            controller.start_only()
            process.wait_for(lambda: self.root("status", GATE).code in (0, 4), 15, "root gets in")
            self.assertFalse(controller.is_ready())
        process.wait_for(controller.is_ready, 30, "the network is served as well")
        self.await_agents()
        # Others may enter the socket's folder now: it is not served again, and the network is.
        os.remove(controller.socket)
        os.chmod(folder, 0o755)
        process.wait_for(lambda: controller.has_logged("listener_reopened"), 60, "it is noticed")
        self.assertEqual(self.site.cli("close", GATE).code, 0)
        self.assertNotEqual(self.root("status", GATE).code, 0)
        os.chmod(folder, 0o700)
        process.wait_for(lambda: self.root("status", GATE).code == 0, 30, "root gets in again")

    def test_close_that_is_cut_off_names_who_has_not_confirmed(self):
        self.create("100%")
        self.site.agents[1].child.pause()
        words = [self.site.program("headgate"), "close", GATE, "--timeout", "30s"]
        close = process.Child(words, env=self.site.cli.env, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        self.addCleanup(close.stop)
        self.await_width(0, [self.site.balancers[0]])
        self.site.controller.stop()
        said = close.popen.stdout.read().decode()
        self.assertEqual(close.popen.wait(), 11, said)
        self.assertIn("edge-2", said)

    # -- descriptors -------------------------------------------------------------------------------
    def test_listeners_that_ran_out_of_descriptors_come_back(self):
        self.create("50%")
        controller = self.site.controller
        pid = controller.child.pid
        limit = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        used = max(int(name) for name in os.listdir(f"/proc/{pid}/fd")) + 1
        with contextlib.ExitStack() as crowd:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 4, limit[1]))
            for _ in range(60):
                crowd.enter_context(
                    socket.create_connection(("127.0.0.1", controller.port), timeout=5))
            process.wait_for(lambda: self.site.cli("status", GATE).code
                             != 0, 30, "nobody gets in")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limit)
        process.wait_for(lambda: self.site.cli("status", GATE).code == 0, 120, "operators get in")
        self.assertTrue(controller.has_logged("listener_reopened"))
        self.await_agents(60)
        self.await_width(500_000)


if __name__ == "__main__":
    process.exit_on_signals()
    unittest.main(verbosity=2)
